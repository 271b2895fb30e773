import { openBlob } from '../../../limbs/stored-blob.ts';
import type { ExternalPlan } from './external-plan.ts';
import { type ExternalContext, inheritProduct } from './multiply-stored.ts';
import { multiplyAny } from './plane-tree.ts';
import { StepLostError, type StepProgress } from './step-progress.ts';
import type { StoredNumber } from './stored-number.ts';

/** Where the chain is: the number so far (undefined = 1), the planes that are still to be taken in, and the stored m! that is. */
export interface ChainState {
  readonly result: StoredNumber | undefined;
  readonly planesLeft: number;
  readonly source: StoredNumber | undefined;
}

/** What a chain works on besides its state. */
export interface Chain {
  readonly context: ExternalContext;
  readonly plan: ExternalPlan;
  readonly planes: readonly (StoredNumber | undefined)[];
  /** Keeps what is finished of the step after a state; planes and the start of a step then stay in the store, for whoever resumes. */
  readonly progressOf?: (state: ChainState) => StepProgress;
  /** Told every state that is complete. */
  readonly afterStep: (state: ChainState) => Promise<void>;
}

/**
 * ∏ P_i^(2^i) from the highest plane down, two planes at a time: with T = R² and Q = P_{i+1}²·P_i, R ← (T·Q)·T; an odd plane first, R ← P_i·R²; in
 * the end times the stored m!, when there is one.
 */
export async function multiplyChainStored(chain: Chain, start: ChainState): Promise<StoredNumber> {
  const { store } = chain.context;
  let state = start;
  while (state.planesLeft > 0 || state.source !== undefined) {
    const before = state;
    state = await stepOnce(chain, before);
    await chain.afterStep(state);
    if (chain.progressOf === undefined) continue;
    const kept = new Set([...chain.planes, state.result]);
    const spent = [before.result, state.source === undefined ? before.source : undefined];
    for (const number of spent) if (number !== undefined && !kept.has(number)) await store.remove(number.blob);
  }
  return state.result ?? storeOne(chain.context);
}

/** The next state; from the step's start, once more, when what an earlier process finished of it does not suffice. */
async function stepOnce(chain: Chain, state: ChainState): Promise<ChainState> {
  const progress = chain.progressOf?.(state);
  try {
    return await takeStep(chain, state, progress);
  } catch (error) {
    if (!(error instanceof StepLostError) || progress === undefined) throw error;
    await progress.restart();
    return takeStep(chain, state, progress);
  }
}

async function takeStep(chain: Chain, state: ChainState, progress: StepProgress | undefined): Promise<ChainState> {
  const { planes } = chain;
  const { result: start, planesLeft, source } = state;
  // While checkpoints are kept, a step's start must outlive the step.
  const kept = new Set(progress === undefined ? [] : [start, source, ...planes]);
  const multiply = (
    name: string,
    a: StoredNumber | undefined,
    b: StoredNumber | undefined,
    ...unneeded: Optional[]
  ) => {
    const given = unneeded.filter((number) => number !== undefined && !kept.has(number));
    return multiplyOptional(chain, progress, name, a, b, given as StoredNumber[]);
  };
  if (planesLeft === 0) {
    return { result: await multiply('source', source, start, source, start), planesLeft, source: undefined };
  }
  if (planesLeft % 2 === 1) {
    const plane = planes[planesLeft - 1];
    const square = await multiply('square', start, start, start);
    const result = await multiply('result', square, plane, square, plane);
    return { result, planesLeft: planesLeft - 1, source };
  }
  const [upper, lower] = [planes[planesLeft - 1], planes[planesLeft - 2]];
  const upperSquare = await multiply('upper square', upper, upper, upper);
  const factor = await multiply('factor', upperSquare, lower, upperSquare, lower);
  const square = await multiply('square', start, start, start);
  const product = await multiply('product', square, factor, factor);
  const result = await multiply('result', product, square, square, product === square ? undefined : product);
  return { result, planesLeft: planesLeft - 2, source };
}

type Optional = StoredNumber | undefined;

/** A product of numbers of which some are 1 and therefore not there: the other one as it is. */
async function multiplyOptional(
  { context, plan }: Chain,
  progress: StepProgress | undefined,
  name: string,
  a: StoredNumber | undefined,
  b: StoredNumber | undefined,
  unneeded: readonly StoredNumber[],
): Promise<StoredNumber | undefined> {
  if (a === undefined || b === undefined) return a ?? b;
  if (progress === undefined) return multiplyAny(context, plan, a, b, unneeded);
  // What one thread makes in a moment is not written down.
  if (a.limbCount + b.limbCount <= plan.groupLimbs) {
    progress.assertThere(a, b);
    return multiplyAny(context, plan, a, b, unneeded);
  }
  const product = progress.product(name);
  const finished = await product.finished();
  if (finished === undefined) return multiplyAny({ ...context, progress: product }, plan, a, b, unneeded);
  inheritProduct(context, a, b);
  for (const { blob } of unneeded) await context.store.remove(blob);
  return finished;
}

async function storeOne({ store }: ExternalContext): Promise<StoredNumber> {
  const blob = await store.create('one', 32);
  await using opened = await openBlob(blob);
  await opened.write(0, new Uint8Array(Uint32Array.of(1).buffer));
  return { blob, offsetBytes: 0, limbCount: 1, residues: [1n, 1n] };
}
