import { randomUUID } from 'node:crypto';
import { KernelError } from '../../errors.ts';
import { placeTables } from '../../multiply/workspace.ts';
import { createMemory, instantiateKernels, type KernelInstance, sharedModule } from '../../wasm/bridge.ts';
import type { EngineDigits, EngineRun, EngineRunner } from '../engine.ts';
import type { ResultResidues } from './check-result.ts';
import { ControlBlock } from './control.ts';
import { multiplyInline } from './inline.ts';
import { planArena } from './price.ts';
import type { ProductTask } from './product-task.ts';
import { resultText } from './result-text.ts';
import { placeBasePrimes } from './segment-products.ts';
import type { DecimalShare } from './thread-state.ts';

const productModule = new URL('../../../dist/engine/decimal/product-task.js', import.meta.url);
const progressIntervalMs = 100;

/** Computes n! / 10^z on all threads of the pool at once, in one shared memory, verified before it resolves. */
export const runDecimal: EngineRunner = async (run) => {
  if (run.plan.threads === 0) return runInline(run);
  const arena = planArena(run.facts, run.plan.threads);
  if (arena === undefined) throw new KernelError(`expected a plan that fits one memory, got n = ${run.facts.n}`);
  const share: DecimalShare = {
    runId: randomUUID(),
    arena,
    module: sharedModule(),
    memory: createMemory(arena.totalBytes),
  };
  const instance = instantiateKernels(share.module, share.memory);
  placeTables(instance, arena.tablesPtr, arena.levels);
  placeBasePrimes(instance, arena);
  instance.kernels.fillResidueTable(arena.residueTablePtr);
  const control = new ControlBlock(instance, arena);
  const residues = await withProgress(run, control, () => multiplyOnAllThreads(run, share));
  return finishedDigits(run, share, instance, control.resultLimbs, residues);
};

/** Small n on the calling thread: the text is there at once. */
function runInline(run: EngineRun): EngineDigits {
  run.signal.throwIfAborted();
  const digits = Number(run.facts.digitCount - run.facts.trailingZeros);
  run.meter.advance('sieve', 0);
  const { text, expectedResidues } = multiplyInline(Number(run.facts.n), digits);
  run.meter.advance('product', digits);
  return {
    expectedResidues,
    async *chunks() {
      yield text;
    },
  };
}

async function multiplyOnAllThreads(run: EngineRun, share: DecimalShare): Promise<ResultResidues> {
  const parts = Array.from({ length: share.arena.threads }, (_, threadIndex) => {
    const task: ProductTask = { share, threadIndex };
    return run.pool.run<ResultResidues>(productModule, task);
  });
  const [first] = await Promise.all(parts);
  return first!;
}

/** Passes on what the threads count, while they work. */
async function withProgress<Result>(
  run: EngineRun,
  control: ControlBlock,
  work: () => Promise<Result>,
): Promise<Result> {
  const unitsPerMillionth = Number(run.facts.digitCount - run.facts.trailingZeros) / 1_000_000;
  let reported = 0;
  const report = () => {
    const progress = control.progress;
    run.meter.advance(progress < 200_000 ? 'sieve' : 'product', (progress - reported) * unitsPerMillionth);
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
  const result = { ptr: share.arena.resultPtr, limbCount };
  return { chunks: () => resultText(run.pool, share, instance, result), expectedResidues: residues.expected };
}
