import { ComputeError } from '@factorial/compute';
import { BackingError, CapacityError, ObjectNotFoundError, TransientError } from '../../contracts/errors.ts';

interface ServiceFault extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const notFound = ['NoSuchKey', 'NotFound'];
const full = ['QuotaExceeded', 'EntityTooLarge', 'InsufficientStorage', 'ServiceQuotaExceededException'];

/** The HTTP status that the server answered with, or undefined when it did not answer. */
export function statusOf(fault: unknown): number | undefined {
  return (fault as ServiceFault | undefined)?.$metadata?.httpStatusCode;
}

export function hasName(fault: unknown, ...names: readonly string[]): boolean {
  return fault instanceof Error && names.includes(fault.name);
}

/** Whether the server says that there is no such object. A missing bucket is another matter. */
export function isNotFound(fault: unknown): boolean {
  return hasName(fault, ...notFound);
}

/**
 * A fault of the SDK in this project's words. Whatever is not the object's absence or a full store is taken as passing: also refused
 * credentials and a missing bucket, which an operator can mend while calculations wait.
 */
export function translateS3Fault(fault: unknown, what: string): Error {
  if (fault instanceof BackingError || fault instanceof ComputeError) return fault;
  const message = fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
  if (isNotFound(fault)) return new ObjectNotFoundError(`expected an object for ${what}, got none`, { cause: fault });
  if (hasName(fault, ...full) || statusOf(fault) === 507) {
    return new CapacityError(`expected room for ${what}, got ${message}: free some space`, { cause: fault });
  }
  return new TransientError(`the object store failed at ${what}: ${message}`, { cause: fault });
}
