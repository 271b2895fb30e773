import { KernelError } from '../../errors.ts';
import { paddedLimbs } from '../../limbs/decimal-number.ts';
import { placeTables } from '../../multiply/workspace.ts';
import { keptMemoryBytes } from '../../pool/task-pool.ts';
import { readSource } from '../../source/read-source.ts';
import type { KernelInstance } from '../../wasm/bridge.ts';
import type { EngineDigits, EngineRun, EngineRunner } from '../engine.ts';
import type { DecimalArena } from './arena.ts';
import type { ResultResidues } from './check-result.ts';
import { ControlBlock } from './control.ts';
import { multiplyInline } from './inline.ts';
import { planArena, zerosIncluded } from './price.ts';
import type { ProductTask } from './product-task.ts';
import { programUnits } from './program.ts';
import { ResultText } from './result-text.ts';
import { placeBasePrimes } from './segment-products.ts';
import type { DecimalShare } from './thread-state.ts';
import { arenaWork, memoryWorkUnits } from './work.ts';

const productModule = new URL('../../../dist/engine/decimal/product-task.js', import.meta.url);
const progressIntervalMs = 50;
/** Times that the program is started: once more when a thread was lost. */
const maxAttempts = 2;

/** Computes n! / 10^z on all threads of the pool at once, in one shared memory, verified before it resolves. */
export const runDecimal: EngineRunner = async (run) => {
  if (run.plan.threads === 0) return runInline(run);
  const arena = planArena(run.facts, run.plan.threads);
  if (arena === undefined) throw new KernelError(`expected a plan that fits one memory, got n = ${run.facts.n}`);
  const instance = run.pool.kernels(arena.totalBytes);
  const { module, memory } = instance;
  const share: DecimalShare = { arena, module, memory };
  const control = new ControlBlock(instance, arena);
  const residues = await withProgress(run, control, arena, () => multiplyWithRepeat(run, share, instance, control));
  return finishedDigits(run, share, instance, control.resultLimbs, residues);
};

/**
 * The whole program is what is repeated when a thread is lost: it reads nothing but n and the stored m!, and products are made in the place of their
 * operands. Once; the second loss is a `KernelError`, and so is a thread's own failure at once.
 */
async function multiplyWithRepeat(
  run: EngineRun,
  share: DecimalShare,
  instance: KernelInstance,
  control: ControlBlock,
): Promise<ResultResidues> {
  for (let attempt = 1; ; attempt++) {
    control.reset();
    placeTables(instance, share.arena.tablesPtr, share.arena.levels);
    placeBasePrimes(instance, share.arena);
    instance.kernels.fillResidueTable(share.arena.residueTablePtr);
    const outcome = await multiplyOnAllThreads(run, share, instance, control);
    if ('residues' in outcome) return outcome.residues;
    run.signal.throwIfAborted();
    if (!control.lostThread) throw outcome.failure;
    if (attempt === maxAttempts) {
      const message = `a compute thread was lost in the middle of ${run.facts.n}!, ${maxAttempts} times over`;
      throw new KernelError(message, { cause: outcome.failure });
    }
  }
}

/** Small n on the calling thread: the text is there at once. */
function runInline(run: EngineRun): EngineDigits {
  run.signal.throwIfAborted();
  const digits = Number(run.facts.digitCount - run.facts.trailingZeros);
  run.meter.advance('sieve', 0);
  const { text, expectedResidues } = multiplyInline(Number(run.facts.n), digits);
  run.meter.advance('product', digits);
  return {
    expectedResidues,
    keepsChunks: true,
    async *chunks() {
      yield text;
    },
  };
}

/**
 * The residues, or the failure that came first: those of the other threads only say that they stopped. Resolves when no thread works on it any more; they
 * see a loss or a failure at their next task.
 */
async function multiplyOnAllThreads(
  run: EngineRun,
  share: DecimalShare,
  instance: KernelInstance,
  control: ControlBlock,
): Promise<{ readonly residues: ResultResidues } | { readonly failure: unknown }> {
  const failing = new AbortController();
  const signal = AbortSignal.any([run.signal, failing.signal]);
  const placing = placeSource(run, share.arena, instance, control, signal).catch((error: unknown) => {
    failing.abort(error);
    control.stop();
  });
  const parts = Array.from({ length: share.arena.threads }, async (_, threadIndex) => {
    const task: ProductTask = { share, threadIndex };
    try {
      return await run.pool.run<ResultResidues>(productModule, task);
    } catch (error) {
      failing.abort(error);
      return undefined;
    }
  });
  const [, first] = await Promise.all([placing, ...parts]);
  return failing.signal.aborted || first === undefined ? { failure: failing.signal.reason } : { residues: first };
}

/** Reads the stored m! into its place, while the threads make what it is to be multiplied by. */
async function placeSource(
  { facts, source }: EngineRun,
  { sourcePtr, sourceLimbs, sourceResiduesPtr, segmentCount }: DecimalArena,
  { words, longs }: KernelInstance,
  control: ControlBlock,
  signal: AbortSignal,
): Promise<void> {
  if (facts.source === undefined) return;
  if (source === undefined) throw new KernelError('expected the digits of a stored factorial, got none');
  const start = sourcePtr >> 2;
  words.fill(0, start + sourceLimbs, start + paddedLimbs(sourceLimbs));
  const onLimbs = (first: number, limbs: Uint32Array): void => words.set(limbs, start + first);
  const residues = await readSource({ source, facts: facts.source, signal, onLimbs });
  longs.set(residues, (sourceResiduesPtr >> 3) + 2 * segmentCount);
  control.announceSource();
}

/** Passes on what the threads count, while they work. */
async function withProgress<Result>(
  run: EngineRun,
  control: ControlBlock,
  arena: DecimalArena,
  work: () => Promise<Result>,
): Promise<Result> {
  const { tables, segments, total } = arenaWork(arena);
  const units = memoryWorkUnits(arenaWork(arena), arena.threads) / programUnits;
  let reported = 0;
  const report = () => {
    // A run that begins again counts from 0: what was told stays told.
    const progress = Math.max(reported, control.progress);
    const phase = progress < (programUnits * (tables + segments)) / total ? 'sieve' : 'product';
    run.meter.advance(phase, (progress - reported) * units);
    reported = progress;
  };
  report();
  const timer = setInterval(report, progressIntervalMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    report();
  }
}

function finishedDigits(
  run: EngineRun,
  share: DecimalShare,
  instance: KernelInstance,
  limbCount: number,
  residues: ResultResidues,
): EngineDigits {
  const text = new ResultText(run.pool, share, instance, { ptr: share.arena.resultPtr, limbCount });
  // Threads that may wait for the next run must be idle when nobody reads this one; all others write ahead while the caller opens what the text goes to.
  if (share.arena.totalBytes > keptMemoryBytes) text.start();
  return {
    chunks: () => text.chunks(),
    keepsChunks: true,
    textResidues: () => text.residues(),
    expectedResidues: residues.expected,
    zerosIncluded: zerosIncluded(run.facts),
  };
}
