import { SinkError } from '@factorial/compute';
import { BackingError, CapacityError, TransientError } from '../contracts/errors.ts';

/** Whether this is a system error with one of these codes. */
export function isFault(fault: unknown, ...codes: readonly string[]): boolean {
  return fault instanceof Error && 'code' in fault && codes.includes(fault.code as string);
}

/** A system error in this project's words: a full disk or quota as `CapacityError`, any other as `TransientError`. */
export function translateFileFault(fault: unknown): unknown {
  if (fault instanceof SinkError && fault.code !== 'sink-byte-count') {
    const message = `the object was not written: ${fault.message}`;
    if (fault.code === 'sink-full') return new CapacityError(`${message}; free some space`, { cause: fault });
    return new TransientError(message, { cause: fault });
  }
  if (fault instanceof BackingError || !(fault instanceof Error) || !('syscall' in fault)) return fault;
  if (isFault(fault, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
    return new CapacityError(`expected room for the object, got ${fault.message}: free some space`, { cause: fault });
  }
  return new TransientError(`the object store's directory did not answer: ${fault.message}`, { cause: fault });
}
