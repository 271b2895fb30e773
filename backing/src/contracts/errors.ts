/** Base of the errors of the backing services: a stable `code` for machines beside the message for people. */
export abstract class BackingError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A service did not answer or answered with a passing fault: the same call may succeed later; retry, counted. */
export class TransientError extends BackingError {
  readonly code = 'transient';
}

/** A message that can never be handled: dead-letter it with this reason, never requeue. */
export class PoisonMessageError extends BackingError {
  readonly code = 'poison-message';
}

/** Somebody else owns this row now (a newer fence, or it was cancelled): stop quietly, write nothing more. */
export class StaleLeaseError extends BackingError {
  readonly code = 'stale-lease';
}

/** The store or the queue holds as much as it may: nothing was accepted. */
export class CapacityError extends BackingError {
  readonly code = 'capacity';
}

/** What is stored is not what was written (size or checksum differ): never serve or publish it. */
export class CorruptObjectError extends BackingError {
  readonly code = 'corrupt-object';
}

/** The directory of an embedded store is held by another process (or store): one holder at a time. */
export class DirectoryInUseError extends BackingError {
  readonly code = 'directory-in-use';
}

/** No object under this key: it was never written, or was removed. */
export class ObjectNotFoundError extends BackingError {
  readonly code = 'object-not-found';
}
