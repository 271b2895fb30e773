import type { FactorialPlan } from './plan/plan.ts';

/** Base of everything this library throws on purpose: a stable `code` for machines beside the message for people. */
export abstract class ComputeError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The caller's argument is wrong: nothing was started, and the same call will fail again. */
export class InputError extends ComputeError {
  readonly code = 'invalid-input';
  readonly expected: string;
  readonly got: string;

  constructor(expected: string, got: string, options?: ErrorOptions) {
    super(`expected ${expected}, got ${got}`, options);
    this.expected = expected;
    this.got = got;
  }
}

/** The calculation does not fit the budget: nothing was started. `remedy` says what would fit. */
export class PlanCapacityError extends ComputeError {
  readonly code = 'plan-capacity';
  readonly remedy: string;
  /** The largest n that this budget can hold, or undefined when even 0! does not fit. */
  readonly largestPossible: bigint | undefined;
  /** What the calculation would take: with scratch files beside the memory there is, else whatever would do; undefined when no budget would. */
  readonly needed: FactorialPlan | undefined;

  constructor(message: string, remedy: string, largestPossible: bigint | undefined, needed?: FactorialPlan) {
    super(`${message}; ${remedy}`);
    this.remedy = remedy;
    this.largestPossible = largestPossible;
    this.needed = needed;
  }
}

/** A compute thread or kernel failed, or a result did not verify: the run is lost, nothing was published. */
export class KernelError extends ComputeError {
  readonly code: 'kernel-failed' | 'verification-failed';

  constructor(message: string, options?: ErrorOptions & { code?: 'kernel-failed' | 'verification-failed' }) {
    super(message, options);
    this.code = options?.code ?? 'kernel-failed';
  }
}

/**
 * The stored m! that a run was to start from is not m!, or cannot be read: the run is lost, nothing was published, the stored digits are as they
 * were. Computing without it will do.
 */
export class SourceError extends ComputeError {
  readonly code: 'source-wrong' | 'source-unreadable';

  constructor(message: string, options?: ErrorOptions & { code?: 'source-wrong' | 'source-unreadable' }) {
    super(message, options);
    this.code = options?.code ?? 'source-wrong';
  }

  /** The digits given for m! have another `what` than they should. */
  static mismatch(m: bigint, what: string, expected: unknown, got: unknown): SourceError {
    return new SourceError(
      `the digits given for ${m}! are not those of ${m}!: expected ${what} ${expected}, got ${got}; ` +
        'check the file and its number, or compute without it',
    );
  }

  /** The digits given for m! have these residues modulo the verification moduli. */
  static residues(m: bigint, expected: readonly bigint[], got: readonly bigint[]): SourceError {
    return SourceError.mismatch(m, 'residues', expected.join(' and '), got.join(' and '));
  }
}

/** The scratch files failed or have no room: the run is lost, its scratch is removed, nothing was published. */
export class ScratchError extends ComputeError {
  readonly code: 'scratch-full' | 'scratch-failed';

  constructor(message: string, options?: ErrorOptions & { code?: 'scratch-full' | 'scratch-failed' }) {
    super(message, options);
    this.code = options?.code ?? 'scratch-failed';
  }
}
