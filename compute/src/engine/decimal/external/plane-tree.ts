import type { LimbStore } from '../../../limbs/limb-store.ts';
import type { ExternalPlan } from './external-plan.ts';
import { largestGroupCount } from './external-plan.ts';
import { type GroupTask, groupBlobBytes } from './group-task.ts';
import { multiplyLong } from './multiply-long.ts';
import type { ExternalContext } from './multiply-stored.ts';
import { type SegmentProducts, type SegmentTask, segmentBlobBytes } from './segment-task.ts';
import { multiplyResiduePairs, type ResiduePair, type StoredNumber } from './stored-number.ts';

const taskUrl = (name: string) => new URL(`../../../../dist/engine/decimal/external/${name}.js`, import.meta.url);
const segmentModule = taskUrl('segment-task');
const groupModule = taskUrl('group-task');

/**
 * The planes of n! / 10^z, or of what m! is to be multiplied by, each a stored number (undefined = 1); n! / 10^z and m! / 10^z(m) modulo the
 * verification moduli by another way (m = 0: 1).
 */
export interface StoredPlanes {
  readonly planes: readonly (StoredNumber | undefined)[];
  readonly expected: ResiduePair;
  readonly expectedSource: ResiduePair;
}

/**
 * Sieves, multiplies every segment's primes plane by plane, and joins the segments' products, a batch of segments at a time, so that neither the primes
 * nor the list of their products is ever held whole. `onShare`: shares of either, adding up to 1.
 */
export async function multiplyPlanesStored(
  context: ExternalContext,
  plan: ExternalPlan,
  onShare: (work: 'segments' | 'joins', share: number) => void,
): Promise<StoredPlanes> {
  const { onCost: _, ...quiet } = context;
  const segmentCount = Math.ceil((plan.n + 1) / plan.span);
  const products = Array.from({ length: plan.planeCount }, (): BatchProduct[] => []);
  let expected: ResiduePair = [1n, 1n];
  let expectedSource: ResiduePair = [1n, 1n];
  for (let first = 0; first < segmentCount; first += plan.segmentsPerBatch) {
    const count = Math.min(plan.segmentsPerBatch, segmentCount - first);
    const share = count / segmentCount;
    const made = await multiplySegments(quiet, plan, first, count, (part) => onShare('segments', share * part));
    expected = multiplyResiduePairs(expected, made.expected);
    expectedSource = multiplyResiduePairs(expectedSource, made.expectedSource);
    const onJoin = joinShares(made.planes, (part) => onShare('joins', share * part));
    for (const [plane, factors] of (await joinSmall(quiet, plan, made.planes, onJoin)).entries()) {
      const number = await joinLarge(quiet, plan, factors, onJoin);
      if (number !== undefined) await addBatch(quiet, plan, products[plane]!, number);
    }
  }
  const planes: (StoredNumber | undefined)[] = [];
  for (const batches of products) {
    planes.push(
      await joinLarge(
        quiet,
        plan,
        batches.map(({ number }) => number),
      ),
    );
  }
  return { planes, expected, expectedSource };
}

/** Told of every product: limbs of all its factors, and how many these are. */
type OnJoin = (limbs: number, factors: number) => void;

/** Shares of the work of multiplying each plane's factors: their limbs, as often as the number of factors is halved. */
function joinShares(planes: readonly (readonly StoredNumber[])[], onShare: (share: number) => void): OnJoin {
  const all = planes.reduce((sum, factors) => sum + totalLimbs(factors) * Math.log2(Math.max(1, factors.length)), 0);
  return (limbs, factors) => {
    if (factors > 1) onShare((limbs * Math.log2(factors)) / all);
  };
}

/** The product of 2^rank batches. */
interface BatchProduct {
  readonly rank: number;
  readonly number: StoredNumber;
}

/** Adds a batch's product as a binary counter does: equals are multiplied, so that all products are of like lengths and few wait. */
async function addBatch(
  context: ExternalContext,
  plan: ExternalPlan,
  waiting: BatchProduct[],
  number: StoredNumber,
): Promise<void> {
  let sum: BatchProduct = { rank: 0, number };
  for (let last = waiting.at(-1); last?.rank === sum.rank; last = waiting.at(-1)) {
    waiting.pop();
    const pair = [last.number, sum.number] as const;
    sum = { rank: sum.rank + 1, number: await multiplyAny(context, plan, ...pair, pair) };
  }
  waiting.push(sum);
}

/** The products of `count` segments from the `first` on, plane by plane in no particular order. */
async function multiplySegments(
  { threads, store }: ExternalContext,
  { n, sourceNumber, span, planeCount, primeLimbs }: ExternalPlan,
  first: number,
  count: number,
  onShare: (share: number) => void,
): Promise<Omit<StoredPlanes, 'planes'> & { readonly planes: StoredNumber[][] }> {
  const planes: StoredNumber[][] = Array.from({ length: planeCount }, () => []);
  let quotient: ResiduePair = [1n, 1n];
  let expectedSource: ResiduePair = [1n, 1n];
  const lows = Array.from({ length: count }, (_, segment) => (first + segment) * span);
  const blobs = new Map<number, SegmentTask['out']>();
  await threads.map<number, SegmentProducts>(
    segmentModule,
    lows,
    async (low, claim): Promise<SegmentTask> => {
      const out = await store.create('segment', segmentBlobBytes(n, low, span));
      blobs.set(low, out);
      return { claim, n, sourceNumber, low, span, primeLimbs, out };
    },
    async ({ nodes, bytes, powerResidues, sourceResidues }, low) => {
      const blob = await store.shrink(blobs.get(low)!, bytes);
      for (const { plane, ...node } of nodes) planes[plane]!.push({ blob, ...node });
      quotient = multiplyResiduePairs(quotient, powerResidues);
      expectedSource = multiplyResiduePairs(expectedSource, sourceResidues);
      onShare(1 / lows.length);
    },
  );
  return { planes, expected: multiplyResiduePairs(quotient, expectedSource), expectedSource };
}

/** Joins neighbours into groups that one thread multiplies whole, until every plane is one number or a few that are too long for that. */
async function joinSmall(
  { threads, store }: ExternalContext,
  plan: ExternalPlan,
  planes: readonly StoredNumber[][],
  onJoin: OnJoin,
): Promise<StoredNumber[][]> {
  let current = planes.map((factors) => groupFactors(factors, plan.groupLimbs));
  const sources = new Set(planes.flat().map(({ blob }) => blob));
  for (;;) {
    const joined: StoredNumber[][] = current.map(() => []);
    const items = current.flatMap((groups, plane) => groups.map((factors) => ({ plane, factors })));
    const outs = new Map<(typeof items)[number], GroupTask['out']>();
    await threads.map<(typeof items)[number], Omit<StoredNumber, 'blob'>>(
      groupModule,
      items,
      async (item, claim): Promise<GroupTask> => {
        const out = await store.create(`plane-${item.plane}`, groupBlobBytes(totalLimbs(item.factors)));
        outs.set(item, out);
        return { claim, factors: item.factors, out };
      },
      (product, item) => {
        joined[item.plane]!.push({ blob: outs.get(item)!, ...product });
        onJoin(totalLimbs(item.factors), item.factors.length);
      },
    );
    for (const blob of sources) await store.remove(blob);
    sources.clear();
    current = joined.map((factors) => groupFactors(factors, plan.groupLimbs));
    if (current.every((groups) => groups.every((group) => group.length === 1))) return joined;
    for (const { blob } of joined.flat()) sources.add(blob);
  }
}

/** Short numbers together, as many as fit a group. */
function groupFactors(factors: readonly StoredNumber[], groupLimbs: number): StoredNumber[][] {
  const groups: StoredNumber[][] = [];
  let group: StoredNumber[] = [];
  for (const factor of factors.toSorted((x, y) => x.limbCount - y.limbCount)) {
    if (group.length > 0 && (group.length === largestGroupCount || totalLimbs(group) + factor.limbCount > groupLimbs)) {
      groups.push(group);
      group = [];
    }
    group.push(factor);
  }
  return group.length > 0 ? [...groups, group] : groups;
}

function totalLimbs(factors: readonly StoredNumber[]): number {
  return factors.reduce((sum, { limbCount }) => sum + limbCount, 0);
}

/** The product of numbers that are too long for one thread: the two shortest first. */
async function joinLarge(
  context: ExternalContext,
  plan: ExternalPlan,
  factors: readonly StoredNumber[],
  onJoin?: OnJoin,
): Promise<StoredNumber | undefined> {
  const left = factors.toSorted((x, y) => x.limbCount - y.limbCount);
  while (left.length > 1) {
    const [a, b] = left.splice(0, 2);
    left.push(await multiplyAny(context, plan, a!, b!, [a!, b!]));
    onJoin?.(a!.limbCount + b!.limbCount, 2);
    left.sort((x, y) => x.limbCount - y.limbCount);
  }
  return left[0];
}

/** a·b by one thread where it fits a region, else by all; then, or as soon as they are not needed, `unneeded` are removed. */
export async function multiplyAny(
  context: ExternalContext,
  plan: ExternalPlan,
  a: StoredNumber,
  b: StoredNumber,
  unneeded: readonly StoredNumber[],
): Promise<StoredNumber> {
  const { store, threads } = context;
  const release = () => removeAll(store, unneeded);
  if (a.limbCount + b.limbCount > plan.groupLimbs) return multiplyLong(context, a, b, release);
  const out = await store.create('product', groupBlobBytes(a.limbCount + b.limbCount));
  let product: StoredNumber | undefined;
  await threads.map<StoredNumber[], Omit<StoredNumber, 'blob'>>(
    groupModule,
    [[a, b]],
    (factors, claim): GroupTask => ({ claim, factors, out }),
    (result) => {
      product = { blob: out, ...result };
    },
  );
  await release();
  return product!;
}

async function removeAll(store: LimbStore, numbers: readonly StoredNumber[]): Promise<void> {
  for (const { blob } of numbers) await store.remove(blob);
}
