import { randomUUID } from 'node:crypto';
import { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import { KernelError } from '../../../errors.ts';
import type { LimbStore } from '../../../limbs/limb-store.ts';
import { MemoryStore } from '../../../limbs/memory-store.ts';
import { ScratchStore } from '../../../limbs/scratch-store.ts';
import { sharedModule } from '../../../wasm/bridge.ts';
import type { EngineDigits, EngineRun, EngineRunner } from '../../engine.ts';
import type { ExternalPlan } from './external-plan.ts';
import { externalWorkUnits, planOfBudget } from './external-price.ts';
import { ExternalThreads } from './external-threads.ts';
import type { ExternalContext } from './multiply-stored.ts';
import { multiplyPlanesStored } from './plane-tree.ts';
import { recordProgress, resumeRun } from './resume.ts';
import { type ChainState, multiplyChainStored } from './stored-chain.ts';
import { type StoredNumber, sameResidues } from './stored-number.ts';
import { storedText } from './stored-text.ts';

/** Share of the time before emission that sieve and planes take: 0.37 at n = 3·10^7, 0.2 at 10^9. */
const planesShare = 0.3;

/** Computes n! / 10^z with limbs and residues in a store, scratch files or shared memory, verified before it resolves. */
export const runExternal: EngineRunner = async (run) => {
  const { storage, threads } = run.plan;
  const plan = storage === 'memory' ? undefined : planOfBudget(run.facts, run.budget, threads, storage);
  if (plan === undefined) throw new KernelError(`expected a plan with a store, got n = ${run.facts.n}`);
  const store = await openStore(run, plan);
  run.own(removedAfterThreads(run, store));
  try {
    return await computeInStore(run, plan, store);
  } catch (error) {
    // The scratch of an aborted run goes away under its feet: what counts is why.
    run.signal.throwIfAborted();
    throw error;
  }
};

async function openStore(
  { budget, checkpointDir, plan: { storage } }: EngineRun,
  plan: ExternalPlan,
): Promise<LimbStore> {
  if (storage === 'shared-memory') return new MemoryStore(plan.scratchBytes);
  if (checkpointDir !== undefined) return CheckpointStore.open(checkpointDir, budget.scratchBytes);
  if (budget.scratchDir === undefined) throw new KernelError('expected a folder for scratch files, got none');
  return ScratchStore.open(budget.scratchDir, budget.scratchBytes, plan.scratchBytes);
}

/** Threads may have files open: they end first. An abort removes the scratch at once, whether anybody waits for it or not. */
function removedAfterThreads(run: EngineRun, store: LimbStore): AsyncDisposable {
  let removing: Promise<void> | undefined;
  const remove = async (): Promise<void> => {
    await run.pool[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  const once = (): Promise<void> => {
    removing ??= remove();
    return removing;
  };
  // Whoever disposes the run waits for the same removal and hears of its failure.
  run.signal.addEventListener('abort', () => void once().catch(() => undefined), { once: true });
  return { [Symbol.asyncDispose]: once };
}

/** The same with any store. */
export async function computeInStore(run: EngineRun, plan: ExternalPlan, store: LimbStore): Promise<EngineDigits> {
  const threads = new ExternalThreads(
    run.pool,
    run.signal,
    plan.threads,
    plan.regionBytes,
    randomUUID(),
    sharedModule(),
  );
  const units = externalWorkUnits(run.facts);
  const advance = (phase: 'sieve' | 'product', share: number) => run.meter.advance(phase, share * units);
  const context: ExternalContext = { threads, store, limits: plan.limits };
  const checkpoint = store instanceof CheckpointStore ? store : undefined;
  const resumed = checkpoint === undefined ? undefined : await resumeRun(checkpoint, threads, run.facts.n);
  const stored =
    resumed?.planes ?? (await multiplyPlanesStored(context, plan, (share) => advance('sieve', planesShare * share)));
  if (resumed?.planes !== undefined) advance('sieve', planesShare);
  const save = async (state: ChainState): Promise<void> => {
    if (checkpoint !== undefined) await recordProgress(checkpoint, run.facts.n, stored, state);
  };
  const start = resumed?.state ?? { result: undefined, planesLeft: stored.planes.length };
  await save(start);
  if (resumed?.state !== undefined) advance('product', (1 - planesShare) * shareDone(start));
  const result = await multiplyChainStored(
    { ...context, onCost: (cost) => advance('product', ((1 - planesShare) * cost) / plan.chainCost) },
    plan,
    stored.planes,
    start,
    checkpoint !== undefined,
    save,
  );
  const { expected } = stored;
  assertExpected(run, result, expected);
  return {
    chunks: async function* () {
      yield* storedText(run.pool, threads, result);
      if (run.keepCheckpoint !== true) checkpoint?.finish();
    },
    expectedResidues: expected,
  };
}

/** Of the chain's work: each plane doubles the number, and a step costs about what its result is long. */
function shareDone({ result, planesLeft }: ChainState): number {
  return result === undefined ? 0 : 2 ** -planesLeft;
}

function assertExpected(run: EngineRun, result: StoredNumber, expected: StoredNumber['residues']): void {
  if (sameResidues(result.residues, expected)) return;
  const message = `the limbs of ${run.facts.n}! are wrong: expected residues ${expected}, got ${result.residues}`;
  throw new KernelError(message, { code: 'verification-failed' });
}
