import type { SharedBudget } from './budget/shared-budget.ts';
import { readCheckpoint } from './checkpoint/checkpoint-file.ts';
import type { FactorialFacts } from './engine/engine.ts';
import { admittedEngines } from './engine/registry.ts';
import { InputError } from './errors.ts';
import { parseFactorialNumber } from './factorial/factorial-number.ts';
import { powerMod } from './multiply/primes.ts';
import { defaultBudget, parseBudget } from './plan/budget.ts';
import type { Budget, FactorialPlan } from './plan/plan.ts';
import { factorialFacts, type PlanOptions, planFactorial, withSource } from './plan/plan-factorial.ts';
import { startTaskPool } from './pool/start-task-pool.ts';
import type { ProgressListener } from './progress.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { FactorialResult } from './result.ts';
import { FactorialRun, type FaultInjection } from './run/factorial-run.ts';
import { RunScope } from './run/run-scope.ts';
import { isTiny, TinyRun } from './run/tiny-run.ts';
import { assertSha256, parseSource, type StoredFactorial } from './source/stored-factorial.ts';
import { verificationModuli } from './verify/moduli.ts';
import type { ResidueTask } from './verify/residue-task.ts';

const residueModule = new URL('../dist/verify/residue-task.js', import.meta.url);
/** Bytes of a chunk of digits when the caller does not say. */
export const defaultMaxChunkBytes = 256 * 1024;
const largestMaxChunkBytes = 2 ** 30;
const defaultIdleThreadsMs = 10_000;
const largestIdleThreadsMs = 3_600_000;

export interface ComputeOptions {
  /** What the run may use; `defaultBudget()` when absent. */
  readonly budget?: Budget;
  /** Stops the run, before and while its digits are taken; everything then throws its reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** Largest chunk that `digits()` yields, 1…2^30 bytes; 256 KiB when absent. */
  readonly maxChunkBytes?: number;
  /**
   * Lets `digits()` yield memory of the run instead of copies, which spares a run in memory a third of the time from product to last digit. Such a chunk is only to be read, and
   * only until the second chunk after it is asked for: for `FileSink`, `stdoutSink` and whoever is done with a chunk when asking for the next. False when absent.
   */
  readonly lendChunks?: boolean;
  /**
   * Folder in which a run with scratch files keeps them, so that a later call for the same n goes on from the last finished step, however this one
   * ended. Emptied when the digits were taken to their end. One process at a time; runs in memory leave it alone.
   */
  readonly checkpointDir?: string;
  /** Leave the files in `checkpointDir` when the digits were taken: the caller removes the folder, once the digits are where they belong. */
  readonly keepCheckpoint?: boolean;
  /** Shared with other runs of the process: this one starts when its plan fits beside them, and says `waiting` until then. A tiny n (`TinyRun`) takes nothing of it. */
  readonly sharedBudget?: SharedBudget;
  /**
   * A stored m!, m ≤ n, to start from where that is quicker: `result.plan.from` says whether it was and why. Its digits are checked before anything is made of them:
   * `SourceError` when they are not m!, and nothing is computed in their place.
   */
  readonly from?: StoredFactorial;
  /**
   * Time for which threads that worked in at most 32 MiB (n up to about 1,500,000) wait for the next run of the process instead of ending, which spares it their start;
   * 0…3,600,000 ms, 0 = they end with the run; 10,000 when absent. Those of one run wait at most, 16 at most, and they do not keep a process from ending.
   */
  readonly idleThreadsMs?: number;
}

/**
 * Compute n!: resolves when the product is there and its digits can be taken.
 *
 * Throws `InputError` (bad n or option), `PlanCapacityError` (does not fit the budget), `KernelError` (a thread or kernel failed), or
 * the signal's reason. The threads of a run are its own and leave it, for the next run or for good (`idleThreadsMs`): when `digits()` ends, is broken off or throws, when the
 * result is disposed, or when the signal aborts.
 */
export function computeFactorial(n: unknown, options: ComputeOptions = {}): Promise<FactorialResult> {
  return startFactorial(n, options, {});
}

/** `computeFactorial` with faults to inject, for tests. */
export async function startFactorial(
  n: unknown,
  options: ComputeOptions,
  faults: FaultInjection,
): Promise<FactorialResult> {
  const number = parseFactorialNumber(n);
  const maxChunkBytes = parseMaxChunkBytes(options.maxChunkBytes ?? defaultMaxChunkBytes);
  const tiny = tinyRun(number, maxChunkBytes, options, faults);
  if (tiny !== undefined) return tiny;
  const idleThreadsMs = parseIdleThreadsMs(options.idleThreadsMs ?? defaultIdleThreadsMs);
  const budget = parseBudget(options.budget ?? defaultBudget());
  assertSha256(options.from?.sha256);
  const plan = (await checkpointedPlan(number, budget, options)) ?? planFactorial(number, budget, sourceOffer(options));
  const facts = startFacts(number, plan, options.from);
  const engine = admittedEngines(plan.engine)[0]!;
  const scope = new RunScope(options.signal);
  try {
    const units = engine.workUnits(facts, plan, budget) + Number(facts.digitCount);
    const meter = new ProgressMeter(units, options.onProgress, plan.estimatedSeconds);
    const { checkpointDir, keepCheckpoint = false } = options;
    const checkpoint = checkpointDir === undefined ? {} : { checkpointDir, keepCheckpoint };
    const source = options.from === undefined || facts.source === undefined ? {} : { source: options.from };
    if (options.sharedBudget !== undefined) {
      const onWait = (reason: string) => meter.wait(reason);
      scope.use(await options.sharedBudget.acquire(plan, scope.signal, onWait));
    }
    // The threads start while the engine loads.
    const { threads } = plan;
    const sharedMemoryBytes = engine.sharedMemoryBytes(facts, plan);
    const { signal } = scope;
    const pool = scope.use(await startTaskPool({ threads, signal, sharedMemoryBytes, idleThreadsMs }));
    const run = await engine.load(plan);
    const engineDigits = await run({
      facts,
      budget,
      plan,
      pool,
      signal: scope.signal,
      meter,
      own: (resource) => scope.use(resource),
      ...checkpoint,
      ...source,
    });
    const zeros = facts.trailingZeros - (engineDigits.zerosIncluded ?? 0n);
    const residueTask: ResidueTask = { n: Number(facts.n), moduli: verificationModuli };
    const expectedResidues = async () =>
      engineDigits.expectedResidues?.map((residue, index) => withZeros(residue, zeros, verificationModuli[index]!)) ??
      pool.run<bigint[]>(residueModule, residueTask);
    return new FactorialRun({
      facts,
      plan,
      engineDigits,
      expectedResidues,
      scope,
      meter,
      maxChunkBytes,
      lendChunks: options.lendChunks ?? false,
      faults,
    });
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The short way for what is computed at once. It takes nothing of a shared budget: one such run at a time works in at most 1 MiB that the calling thread keeps, and the
 * text of its result is no longer than 77,338 bytes.
 */
function tinyRun(
  n: bigint,
  maxChunkBytes: number,
  options: ComputeOptions,
  faults: FaultInjection,
): FactorialResult | undefined {
  const { from, signal, onProgress } = options;
  if (from !== undefined) return undefined;
  const budget = options.budget === undefined ? undefined : parseBudget(options.budget);
  if (!isTiny(n, budget)) return undefined;
  return new TinyRun(n, { budget, signal, onProgress, maxChunkBytes, faults });
}

function sourceOffer({ from }: ComputeOptions): PlanOptions {
  return from === undefined ? {} : { from };
}

/** What is finished of a run afresh is worth more than a stored m!: the plan without it, when a checkpoint goes on afresh. */
async function checkpointedPlan(
  n: bigint,
  budget: Budget,
  options: ComputeOptions,
): Promise<FactorialPlan | undefined> {
  const { checkpointDir, from } = options;
  if (checkpointDir === undefined || from === undefined) return undefined;
  const { m } = parseSource(from, n);
  const record = await readCheckpoint(checkpointDir, n);
  if (record === undefined || record.from !== null) return undefined;
  const plan = planFactorial(n, budget);
  const reason = `the checkpoint in ${checkpointDir} goes on afresh`;
  const start = { n: m.toString(), used: false, reason, secondsFrom: null, secondsAfresh: plan.estimatedSeconds };
  return Object.freeze({ ...plan, from: Object.freeze(start) });
}

/** The facts of n!, with those of the stored m! when the plan starts from it. */
function startFacts(n: bigint, plan: FactorialPlan, from: StoredFactorial | undefined): FactorialFacts {
  if (from === undefined || plan.from?.used !== true) return factorialFacts(n);
  return withSource(factorialFacts(n), parseSource(from, n));
}

/** The residue of a number from that of the number without its last `zeros` zeros. */
function withZeros(residue: bigint, zeros: bigint, modulus: bigint): bigint {
  return (residue * powerMod(10n, zeros, modulus)) % modulus;
}

function parseIdleThreadsMs(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= largestIdleThreadsMs) return value;
  throw new InputError(`idleThreadsMs from 0 to ${largestIdleThreadsMs}`, `${value}`);
}

function parseMaxChunkBytes(value: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= largestMaxChunkBytes) return value;
  throw new InputError('maxChunkBytes from 1 to 2^30', `${value}`);
}
