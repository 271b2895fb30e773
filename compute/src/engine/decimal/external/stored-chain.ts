import { openBlob } from '../../../limbs/stored-blob.ts';
import type { ExternalPlan } from './external-plan.ts';
import type { ExternalContext } from './multiply-stored.ts';
import { multiplyAny } from './plane-tree.ts';
import type { StoredNumber } from './stored-number.ts';

/** Where the chain is: the number so far (undefined = 1), the planes that are still to be taken in, and the stored m! that is. */
export interface ChainState {
  readonly result: StoredNumber | undefined;
  readonly planesLeft: number;
  readonly source: StoredNumber | undefined;
}

/**
 * ∏ P_i^(2^i) from the highest plane down, two planes at a time: with T = R² and Q = P_{i+1}²·P_i, R ← (T·Q)·T; an odd plane first, R ← P_i·R²; in the end
 * the stored m!, when there is one.
 * `afterStep` is told every state that is complete. `keepPlanes`: planes stay in the store, for whoever resumes.
 */
export async function multiplyChainStored(
  context: ExternalContext,
  plan: ExternalPlan,
  planes: readonly (StoredNumber | undefined)[],
  start: ChainState,
  keepPlanes: boolean,
  afterStep: (state: ChainState) => Promise<void>,
): Promise<StoredNumber> {
  const multiply = (a: StoredNumber | undefined, b: StoredNumber | undefined, unneeded: (StoredNumber | undefined)[]) =>
    multiplyOptional(context, plan, a, b, unneeded);
  const passing = (plane: StoredNumber | undefined) => (keepPlanes ? undefined : plane);
  let { result, planesLeft } = start;
  const { source } = start;
  while (planesLeft > 0) {
    const previous = result;
    // While checkpoints are kept, a step's start must outlive the step.
    const own = (number: StoredNumber | undefined) => (keepPlanes && number === previous ? undefined : number);
    if (planesLeft % 2 === 1) {
      const plane = planes[planesLeft - 1];
      const square = await multiply(result, result, [own(result)]);
      result = await multiply(square, plane, [own(square), passing(plane)]);
      planesLeft -= 1;
    } else {
      const [upper, lower] = [planes[planesLeft - 1], planes[planesLeft - 2]];
      const upperSquare = await multiply(upper, upper, [passing(upper)]);
      const factor = await multiply(upperSquare, lower, [upperSquare, passing(lower)]);
      const square = await multiply(result, result, [own(result)]);
      const product = await multiply(square, factor, [factor === lower ? passing(factor) : factor]);
      result = await multiply(product, square, product === square ? [square] : [product, square]);
      planesLeft -= 2;
    }
    await afterStep({ result, planesLeft, source });
    if (keepPlanes && previous !== undefined && !planes.includes(previous)) await context.store.remove(previous.blob);
  }
  if (source !== undefined) {
    const operands = result === undefined ? [] : [source, result];
    result = await multiply(source, result, keepPlanes ? [] : operands);
    await afterStep({ result, planesLeft, source: undefined });
    if (keepPlanes) for (const { blob } of operands) await context.store.remove(blob);
  }
  return result ?? storeOne(context);
}

/** A product of numbers of which some are 1 and therefore not there: the other one as it is. */
async function multiplyOptional(
  context: ExternalContext,
  plan: ExternalPlan,
  a: StoredNumber | undefined,
  b: StoredNumber | undefined,
  unneeded: readonly (StoredNumber | undefined)[],
): Promise<StoredNumber | undefined> {
  if (a === undefined || b === undefined) return a ?? b;
  const given = unneeded.filter((number) => number !== undefined);
  return multiplyAny(context, plan, a, b, given);
}

async function storeOne({ store }: ExternalContext): Promise<StoredNumber> {
  const blob = await store.create('one', 32);
  await using opened = await openBlob(blob);
  await opened.write(0, new Uint8Array(Uint32Array.of(1).buffer));
  return { blob, offsetBytes: 0, limbCount: 1, residues: [1n, 1n] };
}
