import { KernelError } from '../../../errors.ts';
import type { LimbStore } from '../../../limbs/limb-store.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import { addCarry } from './carry.ts';
import type { Carry, CombineTask } from './combine-task.ts';
import type { ExternalThreads } from './external-threads.ts';
import { estimateCost, type FoldShape, requireFoldShape } from './fold-shape.ts';
import { fieldLimits, isWithinLimits, type ProductLimits } from './product-limits.ts';
import { priceProduct } from './product-price.ts';
import type { ResidueTask } from './residue-task.ts';
import type { ProductProgress, ResumedRanges } from './step-progress.ts';
import { assertIntact, rangesPerThread, trimmedLimbs } from './stored-digest.ts';
import { multiplyResiduePairs, type ResiduePair, type StoredNumber } from './stored-number.ts';

const taskUrl = (name: string) => new URL(`../../../../dist/engine/decimal/external/${name}.js`, import.meta.url);
const residueModule = taskUrl('residue-task');
const combineModule = taskUrl('combine-task');

/** What a multiplication out of core works with. */
export interface ExternalContext {
  readonly threads: ExternalThreads;
  readonly store: LimbStore;
  /** How long a product by residues may be; `fieldLimits` when absent. Longer ones are for `multiplyLong`. */
  readonly limits?: ProductLimits;
  /** Told the estimated cost of each finished task (`estimateCost`); `isInherited`: an earlier process did it. */
  readonly onCost?: (cost: number, isInherited?: boolean) => void;
  /** Where the parts of a product are written down as they are finished, and found again. */
  readonly progress?: ProductProgress;
}

/** Shares of a product's time that its phases take. */
const residueShare = 0.75;
const combineShare = 0.2;

/**
 * a·b (a² when they are the same object) as a new blob of the store. `release` is called when the operands are needed no more, before the
 * product is written. Throws `KernelError` (`verification-failed`) when the product's residues are not those of the operands.
 * `shape`: the quickest that fits the threads' regions when absent.
 */
export async function multiplyStored(
  context: ExternalContext,
  a: StoredNumber,
  b: StoredNumber,
  release: () => Promise<void>,
  shape: FoldShape = shapeFor(context, a, b),
): Promise<StoredNumber> {
  const { store, progress } = context;
  assertWithinLimits(a.limbCount, b.limbCount, context.limits ?? fieldLimits);
  const isSquare = a === b;
  const operandLimbs = isSquare ? a.limbCount : a.limbCount + b.limbCount;
  const cost = estimateCost(shape, operandLimbs, isSquare, context.threads.count);
  const residues = await makeResidues(context, shape, a, isSquare ? undefined : b, cost * residueShare);
  await release();
  const ranges = await progress?.ranges(shape);
  const combined = await combineAll(context, shape, residues, ranges, cost * combineShare);
  const expected = { mostLimbs: a.limbCount + b.limbCount, residues: multiplyResiduePairs(a.residues, b.residues) };
  const product = await finishProduct(context, combined, expected).catch(async (error: unknown) => {
    // What an earlier process wrote is no better than its disk: the parts are, for they have checksums.
    if (ranges === undefined || !(error instanceof KernelError) || error.code !== 'verification-failed') throw error;
    await store.remove(combined);
    return finishProduct(context, await combineAll(context, shape, residues, undefined, 0), expected);
  });
  await progress?.finish(product);
  for (const one of residues.flat()) await store.remove(one);
  context.onCost?.(cost * (1 - residueShare - combineShare));
  return product;
}

/** Bound: min(coefficients of a, of b)·(10^18 − 1)² < ∏ p, and a product's coefficients ≤ p − 1. */
function assertWithinLimits(aLimbs: number, bLimbs: number, limits: ProductLimits): void {
  if (isWithinLimits(aLimbs, bLimbs, limits)) return;
  throw new KernelError(`expected a product within the reach of the primes, got ${aLimbs} by ${bLimbs} limbs`);
}

/** The combined limbs as a number whose limbs were read back and have the residues they should have. */
async function finishProduct(
  { threads }: ExternalContext,
  blob: StoredBlob,
  { mostLimbs, residues }: { readonly mostLimbs: number; readonly residues: ResiduePair },
): Promise<StoredNumber> {
  await using opened = await openBlob(blob);
  const limbCount = await trimmedLimbs(opened, mostLimbs);
  const product = { blob, offsetBytes: 0, limbCount, residues };
  await assertIntact(threads, product);
  return product;
}

/** The cost of a·b, of any length, reported as done by an earlier process. */
export function inheritProduct(
  { threads, limits = fieldLimits, onCost }: ExternalContext,
  a: StoredNumber,
  b: StoredNumber,
): void {
  const pricing = { regionBytes: threads.share.regionBytes, threads: threads.count, limits };
  onCost?.(priceProduct(a.limbCount, b.limbCount, a === b, pricing)?.cost ?? 0, true);
}

function shapeFor({ threads }: ExternalContext, a: StoredNumber, b: StoredNumber): FoldShape {
  return requireFoldShape(a.limbCount, b.limbCount, a === b, threads.share.regionBytes, threads.count);
}

async function makeResidues(
  { threads, store, onCost, progress }: ExternalContext,
  shape: FoldShape,
  a: StoredNumber,
  b: StoredNumber | undefined,
  cost: number,
): Promise<StoredBlob[][]> {
  const found = await progress?.parts(shape);
  const residues: StoredBlob[][] = Array.from({ length: primeCount }, () => []);
  const all = Array.from({ length: primeCount * shape.parts }, (_, index) => ({
    prime: Math.floor(index / shape.parts),
    part: index % shape.parts,
  }));
  for (const { prime, part } of all) {
    const blob = found?.[prime]?.[part];
    if (blob !== undefined) residues[prime]![part] = blob;
  }
  const items = all.filter(({ prime, part }) => residues[prime]![part] === undefined);
  onCost?.((cost * (all.length - items.length)) / all.length, true);
  if (items.length > 0) progress?.assertThere(a, b ?? a);
  await threads.map<(typeof items)[number], ResiduePair | undefined>(
    residueModule,
    items,
    async ({ prime, part }, claim): Promise<ResidueTask> => {
      const out = await store.create(`residue-${prime}-${part}`, 4 * shape.points);
      residues[prime]![part] = out;
      return { claim, shape, prime, part, a, b, out, digest: progress !== undefined };
    },
    async (digest, item) => {
      if (digest !== undefined) await progress?.finishPart(shape, item, residues[item.prime]![item.part]!, digest);
      onCost?.(cost / all.length);
    },
  );
  return residues;
}

/** The product's limbs with all carries, in a blob of their own or in that of the ranges that are there already. */
async function combineAll(
  { threads, store, onCost, progress }: ExternalContext,
  shape: FoldShape,
  residues: readonly (readonly StoredBlob[])[],
  resumed: ResumedRanges | undefined,
  cost: number,
): Promise<StoredBlob> {
  const out = resumed?.blob ?? (await store.create('product', 8 * shape.coefficients));
  const { points, parts, combineColumns } = shape;
  const most = threads.count === 1 ? 1 : threads.count * rangesPerThread;
  const width = Math.max(combineColumns, 4 * Math.ceil(points / most / 4));
  const all: { readonly from: number; readonly to: number }[] = [];
  for (let from = 0; from < points; from += width) all.push({ from, to: Math.min(points, from + width) });
  const carries: { readonly limb: number; readonly carry: Carry }[] = [];
  const keep = (found: readonly Carry[], to: number) => {
    for (const [stretch, carry] of found.entries()) carries.push({ limb: 2 * (stretch * points + to), carry });
    onCost?.(cost / all.length);
  };
  const ranges = all.filter(({ from, to }) => {
    const done = resumed?.done.find((range) => range.from === from && range.to === to);
    if (done !== undefined) keep(done.carries, to);
    return done === undefined;
  });
  await threads.map<(typeof ranges)[number], Carry[]>(
    combineModule,
    ranges,
    ({ from, to }, claim): CombineTask => ({ claim, shape, from, to, residues, out }),
    async (found, { from, to }) => {
      await progress?.finishRange(shape, from, to, found, out);
      keep(found, to);
    },
  );
  if (carries.length !== all.length * parts) throw new KernelError('expected a carry from every range and stretch');
  await progress?.beginCarrying();
  await using blob = await openBlob(out);
  for (const { limb, carry } of carries) await addCarry(blob, 2 * shape.coefficients, limb, carry);
  return out;
}
