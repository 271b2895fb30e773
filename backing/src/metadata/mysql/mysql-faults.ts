import { CapacityError, TransientError } from '../../contracts/errors.ts';

/** Error numbers of MySQL 8 and MariaDB 10 (their manuals' lists of server errors) that pass. */
const transientErrors: ReadonlySet<number> = new Set([
  1040, // too many connections
  1044, // access to the database refused: rights change while a password is rotated
  1045, // access refused, likewise
  1049, // no such database: not made yet
  1053, // shutdown in progress
  1205, // lock not available in time
  1213, // deadlock
  1226, // a limit of this user's resources
  1203, // too many connections of this user
  1290, // read-only: a replica answers after a fail-over
  1317, // statement interrupted
  1792, // read-only transaction
  1836, // read-only mode
  1927, // connection killed (MariaDB)
  1969, // statement took too long (MariaDB)
  3024, // statement took too long (MySQL)
  3169, // session killed (MySQL)
  4031, // connection idle for too long (MySQL)
]);
const fullDiskErrors: ReadonlySet<number> = new Set([1021, 1114]);
const deadlock = 1213;

interface ServerFault extends Error {
  readonly errno: number;
  readonly fatal?: boolean;
}

/** Whether the server itself reported the fault, which is known by its number. */
function isServerFault(fault: unknown): fault is ServerFault {
  return fault instanceof Error && 'errno' in fault && typeof fault.errno === 'number' && 'sqlState' in fault;
}

/** Whether the connection is of no use after this fault. */
export function endsConnection(fault: unknown): boolean {
  return !isServerFault(fault) || fault.fatal === true;
}

/** A transaction that lost a deadlock: it left nothing behind and may run again at once. */
export function isAbortedTransaction(fault: unknown): boolean {
  return isServerFault(fault) && fault.errno === deadlock;
}

/** See `StoreDialect.translateError`. */
export function translateMysqlFault(fault: unknown): unknown {
  if (!isServerFault(fault)) return fault;
  if (fullDiskErrors.has(fault.errno)) {
    return new CapacityError(`expected room for the metadata, got a full disk: ${fault.message}`, { cause: fault });
  }
  return transientErrors.has(fault.errno)
    ? new TransientError(`MySQL could not serve the call now: ${fault.message} (${fault.errno})`, { cause: fault })
    : fault;
}

/** A fault of the driver or the network, in this project's words. What the server reported stays as it is. */
export function connectionFault(fault: unknown): unknown {
  if (isServerFault(fault) || fault instanceof TransientError) return fault;
  const reason =
    fault instanceof Error ? fault.message || String('code' in fault ? fault.code : fault.name) : String(fault);
  return new TransientError(`MySQL cannot be reached: ${reason}`, { cause: fault });
}
