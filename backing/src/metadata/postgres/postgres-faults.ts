import { CapacityError, TransientError } from '../../contracts/errors.ts';

/** A fault that the server itself reported: it has a five-character SQLSTATE (PostgreSQL manual, appendix A). */
interface ServerFault extends Error {
  readonly code: string;
  readonly severity?: string;
}

/** Classes by their first two characters, and single states, that pass: the same call may succeed later. */
const transientStates: ReadonlySet<string> = new Set([
  '08', // connection exception
  '25006', // read-only: a standby answers after a fail-over
  '25P03', // idle in a transaction for too long
  '28', // refused credentials: they change while a password is rotated
  '3D', // no such database: not made yet
  '40', // transaction rolled back: serialization, deadlock
  '53', // insufficient resources
  '55P03', // lock not available in time
  '57', // operator intervention: shutdown, crash recovery, statement timeout
  '58', // system error of the server's machine
]);
/** The whole transaction was rolled back so that another could go on. */
const abortedStates: ReadonlySet<string> = new Set(['40001', '40P01']);
const diskFull = '53100';

export function isServerFault(fault: unknown): fault is ServerFault {
  return (
    fault instanceof Error &&
    'code' in fault &&
    typeof fault.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(fault.code) &&
    'severity' in fault
  );
}

/** Whether the server ended the connection with this fault. */
export function endsConnection(fault: unknown): boolean {
  return !isServerFault(fault) || fault.severity === 'FATAL' || fault.severity === 'PANIC';
}

/** A transaction that lost a deadlock or a serialization conflict: it left nothing behind and may run again at once. */
export function isAbortedTransaction(fault: unknown): boolean {
  return isServerFault(fault) && abortedStates.has(fault.code);
}

/** See `StoreDialect.translateError`. */
export function translatePostgresFault(fault: unknown): unknown {
  if (!isServerFault(fault)) return fault;
  if (fault.code === diskFull) {
    return new CapacityError(`expected room for the metadata, got a full disk: ${fault.message}`, { cause: fault });
  }
  return transientStates.has(fault.code) || transientStates.has(fault.code.slice(0, 2))
    ? new TransientError(`PostgreSQL could not serve the call now: ${fault.message} (${fault.code})`, { cause: fault })
    : fault;
}

/** A fault of the driver or the network, in this project's words. What the server reported stays as it is. */
export function connectionFault(fault: unknown): unknown {
  if (isServerFault(fault) || fault instanceof TransientError) return fault;
  const reason =
    fault instanceof Error ? fault.message || String('code' in fault ? fault.code : fault.name) : String(fault);
  return new TransientError(`PostgreSQL cannot be reached: ${reason}`, { cause: fault });
}
