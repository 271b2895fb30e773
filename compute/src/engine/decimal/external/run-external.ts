import { randomUUID } from 'node:crypto';
import { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import { KernelError } from '../../../errors.ts';
import type { LimbStore } from '../../../limbs/limb-store.ts';
import { MemoryStore } from '../../../limbs/memory-store.ts';
import { ScratchStore } from '../../../limbs/scratch-store.ts';
import { sharedModule } from '../../../wasm/bridge.ts';
import type { EngineDigits, EngineRun, EngineRunner } from '../../engine.ts';
import { zerosIncluded } from '../price.ts';
import type { ExternalPlan } from './external-plan.ts';
import { planOfBudget } from './external-price.ts';
import { ExternalProgress } from './external-progress.ts';
import { ExternalThreads } from './external-threads.ts';
import type { ExternalContext } from './multiply-stored.ts';
import { multiplyPlanesStored } from './plane-tree.ts';
import { type ResumedRun, recordProgress, resumeRun, stepName } from './resume.ts';
import { StepProgress } from './step-progress.ts';
import { assertSource, storeSource } from './store-source.ts';
import { type ChainState, multiplyChainStored } from './stored-chain.ts';
import { type StoredNumber, sameResidues } from './stored-number.ts';
import { storedText } from './stored-text.ts';

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
  const progress = new ExternalProgress(run.meter, run.facts, plan);
  const context: ExternalContext = { threads, store, limits: plan.limits };
  const checkpoint = store instanceof CheckpointStore ? store : undefined;
  const resumed = checkpoint === undefined ? undefined : await resumeRun(checkpoint, threads, run.facts);
  if (resumed?.planes === undefined) progress.begin();
  // What is wrong with the stored digits should show before anything is made of them.
  const source = resumed?.state === undefined ? await sourceOf(run, store, progress) : undefined;
  const stored =
    resumed?.planes ?? (await multiplyPlanesStored(context, plan, (...done) => progress.makePlanes(...done)));
  const save = async (state: ChainState): Promise<void> => {
    if (checkpoint !== undefined) await recordProgress(checkpoint, run.facts, stored, state);
  };
  if (source !== undefined) assertSource(run.facts.source!.n, source, stored.expectedSource);
  const start = resumed?.state ?? { result: undefined, planesLeft: stored.planes.length, source };
  // What is recorded already stays with the journal of its step.
  if (resumed?.planes === undefined || resumed.state === undefined) await save(start);
  progress.startChain(stored.planes, start, [
    ...(resumed?.planes === undefined ? [] : (['segments', 'joins'] as const)),
    ...(resumed?.state === undefined ? [] : (['source'] as const)),
  ]);
  const afterStep = async (state: ChainState): Promise<void> => {
    progress.takeStep();
    await save(state);
  };
  const onCost: ExternalContext['onCost'] = (...done) => progress.multiply(...done);
  const chain = { context: { ...context, onCost }, plan, planes: stored.planes, afterStep };
  const result = await multiplyChainStored(
    checkpoint === undefined ? chain : { ...chain, progressOf: progressAfter(checkpoint, threads, start, resumed) },
    start,
  );
  const { expected } = stored;
  assertExpected(run, result, expected);
  return {
    chunks: async function* () {
      yield* storedText(run.pool, threads, result);
      if (run.keepCheckpoint !== true) checkpoint?.finish();
    },
    expectedResidues: expected,
    zerosIncluded: zerosIncluded(run.facts),
  };
}

/** Progress of steps: what an earlier process wrote down for the first one, nothing for those after it. */
function progressAfter(
  checkpoint: CheckpointStore,
  threads: ExternalThreads,
  start: ChainState,
  resumed: ResumedRun | undefined,
): (state: ChainState) => StepProgress {
  return (state) =>
    new StepProgress(checkpoint, threads, stepName(state), state === start ? (resumed?.entries ?? []) : []);
}

async function sourceOf(
  run: EngineRun,
  store: LimbStore,
  progress: ExternalProgress,
): Promise<StoredNumber | undefined> {
  const { source } = run.facts;
  return source === undefined ? undefined : storeSource(run, source, store, (bytes) => progress.readSource(bytes));
}

function assertExpected(run: EngineRun, result: StoredNumber, expected: StoredNumber['residues']): void {
  if (sameResidues(result.residues, expected)) return;
  const message = `the limbs of ${run.facts.n}! are wrong: expected residues ${expected}, got ${result.residues}`;
  throw new KernelError(message, { code: 'verification-failed' });
}
