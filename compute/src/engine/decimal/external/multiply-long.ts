import { KernelError } from '../../../errors.ts';
import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { powerMod } from '../../../multiply/primes.ts';
import { verificationModuli } from '../../../verify/moduli.ts';
import type { JoinTask, JoinTerm } from './join-task.ts';
import { type ExternalContext, inheritProduct, multiplyStored } from './multiply-stored.ts';
import { fieldLimits, splitLimbs } from './product-limits.ts';
import { joinCost } from './product-price.ts';
import { assertIntact, digestStored, trimmedLimbs } from './stored-digest.ts';
import { multiplyResiduePairs, type ResiduePair, type StoredNumber, sameResidues } from './stored-number.ts';

const joinModule = new URL('../../../../dist/engine/decimal/external/join-task.js', import.meta.url);

/** Limbs looked at together for the highest that is not zero. */
const windowLimbs = 4096;
const kept = async (): Promise<void> => undefined;

/**
 * a·b of any length (a² when they are the same object), as `multiplyStored` where the limits of the residues allow it. Longer operands are cut in two at
 * h limbs, a = a₁·y + a₀ with y = B^h, as often as it takes: three products by Karatsuba (A. Karatsuba, Yu. Ofman 1962),
 *
 *   a·b = z₂·y² + ((a₀ + a₁)·(b₀ + b₁) − z₀ − z₂)·y + z₀,   z₀ = a₀·b₀,  z₂ = a₁·b₁,
 *
 * or two where only the longer operand is cut. `release` is called when the operands are needed no more. Every part, sum and product has residues that are
 * compared: `KernelError` (`verification-failed`) at the first that is wrong. With a progress, the products of the parts are written down and found again.
 */
export async function multiplyLong(
  context: ExternalContext,
  a: StoredNumber,
  b: StoredNumber,
  release: () => Promise<void>,
): Promise<StoredNumber> {
  const half = splitLimbs(a.limbCount, b.limbCount, context.limits ?? fieldLimits);
  if (half === undefined) return multiplyStored(context, a, b, release);
  context.progress?.assertThere(a, b);
  const [long, short] = a.limbCount >= b.limbCount ? [a, b] : [b, a];
  const products =
    short.limbCount <= half
      ? await multiplyLonger(context, long, short, half, release)
      : await multiplyHalves(context, long, short, half, release);
  const residues = multiplyResiduePairs(a.residues, b.residues);
  const product = await join(context, products, a.limbCount + b.limbCount, residues);
  await assertIntact(context.threads, product);
  await context.progress?.finish(product);
  for (const blob of new Set(products.map(({ number }) => number.blob))) await context.store.remove(blob);
  context.onCost?.(joinCost(products.length, a.limbCount + b.limbCount));
  return product;
}

/** One product of parts: found, when an earlier process finished it. */
async function multiplyParts(
  { progress, ...context }: ExternalContext,
  name: string,
  a: StoredNumber,
  b: StoredNumber,
  release: () => Promise<void>,
): Promise<StoredNumber> {
  if (progress === undefined) return multiplyLong(context, a, b, release);
  const inner = progress.inner(name);
  const found = await inner.intact();
  if (found === undefined) return multiplyLong({ ...context, progress: inner }, a, b, release);
  inheritProduct(context, a, b);
  await release();
  return found;
}

/** Only the longer operand is cut. */
async function multiplyLonger(
  context: ExternalContext,
  long: StoredNumber,
  short: StoredNumber,
  half: number,
  release: () => Promise<void>,
): Promise<JoinTerm[]> {
  const [low, high] = await cut(context, long, half);
  const terms: JoinTerm[] = [];
  if (low !== undefined) terms.push(term(await multiplyParts(context, 'low', low, short, kept), 0));
  terms.push(term(await multiplyParts(context, 'high', high, short, release), half));
  return terms;
}

async function multiplyHalves(
  context: ExternalContext,
  a: StoredNumber,
  b: StoredNumber,
  half: number,
  release: () => Promise<void>,
): Promise<JoinTerm[]> {
  const aParts = await cut(context, a, half);
  const bParts = a === b ? aParts : await cut(context, b, half);
  const aSum = await addParts(context, aParts);
  const bSum = a === b ? aSum : await addParts(context, bParts);
  const [[aLow, aHigh], [bLow, bHigh]] = [aParts, bParts];
  const low = aLow && bLow && (await multiplyParts(context, 'low', aLow, bLow, kept));
  const high = await multiplyParts(context, 'high', aHigh, bHigh, kept);
  await release();
  const middle = await multiplyParts(context, 'middle', aSum, bSum, async () => {
    await context.store.remove(aSum.blob);
    if (bSum !== aSum) await context.store.remove(bSum.blob);
  });
  const terms = [term(middle, half), term(high, 2 * half), term(high, half, -1)];
  return low === undefined ? terms : [...terms, term(low, 0), term(low, half, -1)];
}

function term(number: StoredNumber, shiftLimbs: number, sign: 1 | -1 = 1): JoinTerm {
  return { number, shiftLimbs, sign };
}

/** The number's limbs below `half`, undefined when they are all zero, and those from `half` on: views of the same blob, compared with the whole's residues. */
async function cut(
  { threads }: ExternalContext,
  number: StoredNumber,
  half: number,
): Promise<readonly [StoredNumber | undefined, StoredNumber]> {
  const lowCount = await significantLimbs(number, half);
  const lowView = { blob: number.blob, offsetBytes: number.offsetBytes, limbCount: lowCount };
  const highView = {
    blob: number.blob,
    offsetBytes: number.offsetBytes + 4 * half,
    limbCount: number.limbCount - half,
  };
  const low = lowCount === 0 ? undefined : { ...lowView, residues: await digestStored(threads, lowView) };
  const high = { ...highView, residues: await digestStored(threads, highView) };
  const whole = verificationModuli.map((modulus, index) => {
    const shift = powerMod(10n, 9n * BigInt(half), modulus);
    return ((low?.residues[index] ?? 0n) + high.residues[index]! * shift) % modulus;
  });
  if (!sameResidues([whole[0]!, whole[1]!], number.residues)) {
    const message = `an operand of ${number.limbCount} limbs is wrong: expected residues ${number.residues}, got ${whole}`;
    throw new KernelError(message, { code: 'verification-failed' });
  }
  return [low, high];
}

/** How many of the lowest `count` limbs are left without the zeros above. */
async function significantLimbs({ blob, offsetBytes }: StoredNumber, count: number): Promise<number> {
  await using opened = await openBlob(blob);
  for (let end = count; end > 0; ) {
    const width = Math.min(windowLimbs, end);
    const limbs = new Uint32Array(width);
    await opened.read(offsetBytes + 4 * (end - width), new Uint8Array(limbs.buffer));
    const top = limbs.findLastIndex((limb) => limb !== 0);
    if (top >= 0) return end - width + top + 1;
    end -= width;
  }
  return 0;
}

/** low + high as a number of its own. */
async function addParts(
  context: ExternalContext,
  [low, high]: readonly [StoredNumber | undefined, StoredNumber],
): Promise<StoredNumber> {
  const terms = low === undefined ? [term(high, 0)] : [term(low, 0), term(high, 0)];
  const residues = verificationModuli.map(
    (modulus, index) => ((low?.residues[index] ?? 0n) + high.residues[index]!) % modulus,
  );
  const sum = await join(context, terms, Math.max(low?.limbCount ?? 0, high.limbCount) + 1, [
    residues[0]!,
    residues[1]!,
  ]);
  await assertIntact(context.threads, sum);
  return sum;
}

/** ∑ ±number·B^shift, of `most` limbs or one less, as a new blob. */
async function join(
  { threads, store }: ExternalContext,
  terms: readonly JoinTerm[],
  most: number,
  residues: ResiduePair,
): Promise<StoredNumber> {
  const blob: StoredBlob = await store.create('joined', 4 * paddedLimbs(most));
  await threads.map<readonly JoinTerm[], void>(
    joinModule,
    [terms],
    (all, claim): JoinTask => ({ claim, terms: all, limbCount: most, out: blob }),
    () => undefined,
  );
  await using opened = await openBlob(blob);
  return { blob, offsetBytes: 0, limbCount: await trimmedLimbs(opened, most), residues };
}
