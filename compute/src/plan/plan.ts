/**
 * Engines a plan can choose from: `decimal` computes in radix 10^9 throughout; `gmp` is the reference: binary product trees in GMP,
 * converted to decimal.
 */
export const engineNames = ['decimal', 'gmp'] as const;
export type EngineName = (typeof engineNames)[number];

/**
 * Where limbs and residues live. `memory`: all in one WASM memory of at most 4 GiB, the quickest. `shared-memory`: a `LimbStore` in shared memory of any
 * size, beside the threads' regions. `scratch`: a `LimbStore` in files.
 */
export type StorageKind = 'memory' | 'shared-memory' | 'scratch';

/** What one run may use. Every size is in bytes. */
export interface Budget {
  /** Bound on the bytes of memory the run itself takes (WASM memories, buffers, chunks in flight). */
  readonly memoryBytes: number;
  /** Bound on the bytes of scratch files; 0 = none. */
  readonly scratchBytes: number;
  /** Folder for scratch files; needed only when `scratchBytes` > 0. */
  readonly scratchDir?: string;
  /** Compute threads, 1…256. */
  readonly threads: number;
  /** `auto` lets the plan choose. */
  readonly engine: EngineName | 'auto';
  /**
   * Longest time, by the plan's estimate, for which the calling thread may compute by itself, its event loop standing still: up to there a run starts
   * no threads where it is quicker without. 0…60 s; 0.02 when absent.
   */
  readonly blockingSeconds?: number;
}

/** Whether a run starts from the stored m! that was offered. */
export interface PlannedStart {
  /** m as a decimal string. */
  readonly n: string;
  /** n! is computed as m!·(m + 1)…n; false = afresh. */
  readonly used: boolean;
  /** Why, for people. */
  readonly reason: string;
  /** Estimates of both ways; null where a way does not fit the budget or does not exist. */
  readonly secondsFrom: number | null;
  readonly secondsAfresh: number | null;
}

/** What a run of n! will do and cost: a plain, JSON-serialisable value made before anything runs. */
export interface FactorialPlan {
  /** n as a decimal string. */
  readonly n: string;
  /** Exact number of decimal digits of n!, as a decimal string. */
  readonly digitCount: string;
  /** Exact number of trailing zeros of n!, as a decimal string. */
  readonly trailingZeros: string;
  readonly engine: EngineName;
  /** Threads the run will start; never more than the budget, fewer when n is small. */
  readonly threads: number;
  /** Peak bytes of memory of the run itself, without the runtime's own. */
  readonly memoryBytes: number;
  /** Peak bytes of scratch files; 0 without `storage: 'scratch'`. A double: beyond 2^53 good to 16 digits. */
  readonly scratchBytes: number;
  /** Where the run keeps its limbs and residues. */
  readonly storage: StorageKind;
  /** Why there, for people. */
  readonly storageReason: string;
  /** Bytes read from and written to scratch files, all told. A double, as `scratchBytes`. */
  readonly ioBytes: number;
  /** Wall-clock estimate; machine-dependent, good to a small factor. */
  readonly estimatedSeconds: number;
  /** Present when a stored m! was offered. */
  readonly from?: PlannedStart;
}
