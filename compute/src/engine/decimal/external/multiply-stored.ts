import { KernelError } from '../../../errors.ts';
import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import type { LimbStore } from '../../../limbs/limb-store.ts';
import { type OpenBlob, openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { powerMod } from '../../../multiply/primes.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import { verificationModuli } from '../../../verify/moduli.ts';
import { addCarry } from './carry.ts';
import type { Carry, CombineTask } from './combine-task.ts';
import type { DigestTask } from './digest-task.ts';
import type { ExternalThreads } from './external-threads.ts';
import { estimateCost, type FoldShape, requireFoldShape } from './fold-shape.ts';
import { fieldLimits, isWithinLimits, type ProductLimits } from './product-limits.ts';
import type { ResidueTask } from './residue-task.ts';
import { multiplyResiduePairs, type ResiduePair, type StoredNumber, sameResidues } from './stored-number.ts';

const taskUrl = (name: string) => new URL(`../../../../dist/engine/decimal/external/${name}.js`, import.meta.url);
const residueModule = taskUrl('residue-task');
const combineModule = taskUrl('combine-task');
const digestModule = taskUrl('digest-task');

/** Ranges per thread of a phase over the whole number. */
const rangesPerThread = 4;
/** Limbs that the residues of a number are found from at a time. */
const digestBlockLimbs = 65_536;

/** What a multiplication out of core works with. */
export interface ExternalContext {
  readonly threads: ExternalThreads;
  readonly store: LimbStore;
  /** How long a product by residues may be; `fieldLimits` when absent. Longer ones are for `multiplyLong`. */
  readonly limits?: ProductLimits;
  /** Told the estimated cost of each finished task (`estimateCost`). */
  readonly onCost?: (cost: number) => void;
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
  const { store } = context;
  assertWithinLimits(a.limbCount, b.limbCount, context.limits ?? fieldLimits);
  const isSquare = a === b;
  const operandLimbs = isSquare ? a.limbCount : a.limbCount + b.limbCount;
  const cost = estimateCost(shape, operandLimbs, isSquare, context.threads.count);
  const residues = await makeResidues(context, shape, a, isSquare ? undefined : b, cost * residueShare);
  await release();
  const blob = await store.create('product', 8 * shape.coefficients);
  await combine(context, shape, residues, blob, cost * combineShare);
  for (const one of residues.flat()) await store.remove(one);
  await using opened = await openBlob(blob);
  const limbCount = await trimmedLimbs(opened, a.limbCount + b.limbCount);
  const product = { blob, offsetBytes: 0, limbCount, residues: multiplyResiduePairs(a.residues, b.residues) };
  await assertIntact(context.threads, product);
  context.onCost?.(cost * (1 - residueShare - combineShare));
  return product;
}

/** Bound: min(coefficients of a, of b)·(10^18 − 1)² < ∏ p, and a product's coefficients ≤ p − 1. */
function assertWithinLimits(aLimbs: number, bLimbs: number, limits: ProductLimits): void {
  if (isWithinLimits(aLimbs, bLimbs, limits)) return;
  throw new KernelError(`expected a product within the reach of the primes, got ${aLimbs} by ${bLimbs} limbs`);
}

function shapeFor({ threads }: ExternalContext, a: StoredNumber, b: StoredNumber): FoldShape {
  return requireFoldShape(a.limbCount, b.limbCount, a === b, threads.share.regionBytes, threads.count);
}

async function makeResidues(
  { threads, store, onCost }: ExternalContext,
  shape: FoldShape,
  a: StoredNumber,
  b: StoredNumber | undefined,
  cost: number,
): Promise<StoredBlob[][]> {
  const residues: StoredBlob[][] = Array.from({ length: primeCount }, () => []);
  const items = Array.from({ length: primeCount * shape.parts }, (_, index) => ({
    prime: Math.floor(index / shape.parts),
    part: index % shape.parts,
  }));
  await threads.map<(typeof items)[number], void>(
    residueModule,
    items,
    async ({ prime, part }, claim): Promise<ResidueTask> => {
      const out = await store.create(`residue-${prime}-${part}`, 4 * shape.points);
      residues[prime]![part] = out;
      return { claim, shape, prime, part, a, b, out };
    },
    () => onCost?.(cost / items.length),
  );
  return residues;
}

async function combine(
  { threads, onCost }: ExternalContext,
  shape: FoldShape,
  residues: readonly (readonly StoredBlob[])[],
  out: StoredBlob,
  cost: number,
): Promise<void> {
  const { points, parts, combineColumns } = shape;
  const most = threads.count === 1 ? 1 : threads.count * rangesPerThread;
  const width = Math.max(combineColumns, 4 * Math.ceil(points / most / 4));
  const ranges: { readonly from: number; readonly to: number }[] = [];
  for (let from = 0; from < points; from += width) ranges.push({ from, to: Math.min(points, from + width) });
  const carries: { readonly limb: number; readonly carry: Carry }[] = [];
  await threads.map<(typeof ranges)[number], Carry[]>(
    combineModule,
    ranges,
    ({ from, to }, claim): CombineTask => ({ claim, shape, from, to, residues, out }),
    (found, { to }) => {
      for (const [stretch, carry] of found.entries()) carries.push({ limb: 2 * (stretch * points + to), carry });
      onCost?.(cost / ranges.length);
    },
  );
  if (carries.length !== ranges.length * parts) throw new KernelError('expected a carry from every range and stretch');
  await using blob = await openBlob(out);
  for (const { limb, carry } of carries) await addCarry(blob, 2 * shape.coefficients, limb, carry);
}

/** The number's limbs without the zero that its highest may be. */
export async function trimmedLimbs(blob: OpenBlob, most: number): Promise<number> {
  const top = new Uint32Array(1);
  await blob.read(4 * (most - 1), new Uint8Array(top.buffer));
  return top[0] === 0 ? most - 1 : most;
}

/** Throws `KernelError` (`verification-failed`) unless the limbs have the residues they should have. */
export async function assertIntact(threads: ExternalThreads, number: StoredNumber): Promise<void> {
  const found = await digestStored(threads, number);
  if (sameResidues(found, number.residues)) return;
  const message = `a product of ${number.limbCount} limbs is wrong: expected residues ${number.residues}, got ${found}`;
  throw new KernelError(message, { code: 'verification-failed' });
}

/** Residues of a stored number, from its limbs. */
export async function digestStored(
  threads: ExternalThreads,
  number: Pick<StoredNumber, 'blob' | 'offsetBytes' | 'limbCount'>,
): Promise<ResiduePair> {
  const width = Math.max(1, Math.ceil(number.limbCount / (threads.count * rangesPerThread)));
  const ranges: { readonly from: number; readonly to: number; residues?: ResiduePair }[] = [];
  for (let from = 0; from < number.limbCount; from += width) {
    ranges.push({ from, to: Math.min(number.limbCount, from + width) });
  }
  const blockLimbs = Math.min(digestBlockLimbs, paddedLimbs(width), 8 * Math.floor(threads.share.regionBytes / 128));
  await threads.map<(typeof ranges)[number], ResiduePair>(
    digestModule,
    ranges,
    ({ from, to }, claim): DigestTask => ({ claim, number, from, to, blockLimbs }),
    (residues, range) => {
      range.residues = residues;
    },
  );
  const sum = (index: 0 | 1): bigint => {
    const modulus = verificationModuli[index]!;
    return ranges.reduceRight((high, { from, to, residues }) => {
      const step = powerMod(10n, 9n * BigInt(to - from), modulus);
      return (high * step + residues![index]) % modulus;
    }, 0n);
  };
  return [sum(0), sum(1)];
}
