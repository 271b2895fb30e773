import type { Budget, EngineName, FactorialPlan, StorageKind } from '../plan/plan.ts';
import type { TaskPool } from '../pool/task-pool.ts';
import type { ProgressMeter } from '../progress-meter.ts';
import type { StoredFactorial } from '../source/stored-factorial.ts';

/** What an engine needs to know of n! to price it. */
export interface FactorialFacts {
  readonly n: bigint;
  /** Exact digits of n!, trailing zeros included. */
  readonly digitCount: bigint;
  readonly trailingZeros: bigint;
  /** The stored m! that n! is to be computed from, if any. */
  readonly source?: SourceFacts;
}

/** What an engine needs to know of a stored m! to price a start from it. */
export interface SourceFacts {
  readonly n: bigint;
  readonly digitCount: bigint;
  readonly trailingZeros: bigint;
  /** What its digits can be read at. */
  readonly bytesPerSecond: number;
}

/** What n! would cost on an engine with the threads it chose within the budget. */
export interface EnginePrice {
  /** Threads of the pool; 0 = the calling thread does it all. */
  readonly threads: number;
  readonly memoryBytes: number;
  readonly scratchBytes: number;
  /** Where limbs and residues live. */
  readonly storage: StorageKind;
  /** Why there, for people. */
  readonly storageReason: string;
  /** Bytes that the run reads and writes in scratch files. */
  readonly ioBytes: number;
  readonly estimatedSeconds: number;
  /** Set when this engine cannot hold n! whatever the budget: why, for people. */
  readonly impossible?: string;
}

/** Everything one run of an engine may use. */
export interface EngineRun {
  readonly facts: FactorialFacts;
  readonly budget: Budget;
  readonly plan: FactorialPlan;
  /** Runs tasks on `plan.threads` threads (or inline); owned by the caller, who closes it. */
  readonly pool: TaskPool;
  /** Aborted when the run is to stop for whatever reason; the pool stops with it. */
  readonly signal: AbortSignal;
  readonly meter: ProgressMeter;
  /** The digits of `facts.source`. */
  readonly source?: Pick<StoredFactorial, 'digits' | 'sha256'>;
  /** Where a run with scratch files keeps what is finished, for a later run to go on from. */
  readonly checkpointDir?: string;
  /** The files stay when the digits were taken. */
  readonly keepCheckpoint?: boolean;
  /** Hands over what is to be disposed at the end of the run, before its pool. */
  own(resource: AsyncDisposable): void;
}

/** The product, finished, waiting to be read. */
export interface EngineDigits {
  /**
   * ASCII digits of n! / 10^z, most significant first and without leading zeros, in chunks of any size up to a bound the
   * engine's price includes. Called once. What is not asked for is at most a bounded read-ahead. A chunk is valid until the next one is asked for.
   */
  chunks(): AsyncIterable<Uint8Array>;
  /** A chunk is valid until the second one after it is asked for, so that it may be handed on without a copy. */
  readonly keepsChunks?: boolean;
  /**
   * After the last chunk: the residues modulo the verification moduli of the bytes that `chunks()` yielded, as they were in memory after the next one was
   * asked for; undefined when one was no digit. Without it whoever takes the chunks finds them.
   */
  textResidues?(): Promise<readonly bigint[] | undefined>;
  /**
   * n! / 10^z modulo the verification moduli as the primes have it, not the product. An engine that found them on the way
   * gives them here; without them they are computed beside the emission.
   */
  readonly expectedResidues?: readonly bigint[];
  /** Trailing zeros that the chunks have already: a product with a stored m! may end in a few. 0 when absent. */
  readonly zerosIncluded?: bigint;
}

/** One way to compute n!. Pricing is pure, cheap and loads nothing; `load` brings the code that computes. */
export interface Engine {
  readonly name: EngineName;
  /** Can compute n! from a stored m!: `facts.source` may be there. */
  readonly takesSource: boolean;
  /**
   * The cheapest way within the budget, or the least of memory when none fits: the caller compares with the budget. `ifFits`: undefined where none fits,
   * which is found much sooner than what would.
   */
  price(facts: FactorialFacts, budget: Budget): EnginePrice;
  priceIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined;
  /** Work units the run will report to its meter, before emission: a unit is worth as much time as emitting a digit. */
  workUnits(facts: FactorialFacts, plan: Pick<FactorialPlan, 'storage' | 'threads'>, budget: Budget): number;
  /** Bytes of the one memory that all threads of the plan share; undefined where they have others too, which do not shrink. */
  sharedMemoryBytes(facts: FactorialFacts, plan: Pick<FactorialPlan, 'storage' | 'threads'>): number | undefined;
  /** The code for this plan of the engine's own. */
  load(plan: Pick<FactorialPlan, 'storage'>): Promise<EngineRunner>;
}

/** Computes n! / 10^z; resolves when the product is there. Rejects with `KernelError` or the signal's reason. */
export type EngineRunner = (run: EngineRun) => Promise<EngineDigits>;
