import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { significantExponent } from '../../../factorial/exponents.ts';
import { primeSegments } from '../../../factorial/prime-sieve.ts';
import { asTask } from '../../../pool/as-task.ts';
import { type LeafState, listPlane, multiplyList } from '../segment-products.ts';
import { digestLimbs, makeLeafState, segmentLayout } from './alone-state.ts';
import { openRegion, type RegionClaim } from './region.ts';
import type { ResiduePair } from './stored-number.ts';

/** The primes of [low, low + span) that are at most n. */
export interface SegmentTask {
  readonly claim: RegionClaim;
  readonly n: number;
  readonly low: number;
  readonly span: number;
  /** At least `segmentBlobBytes`. */
  readonly out: StoredBlob;
}

/** The product of one plane's primes in a segment, `offsetBytes` into its blob. */
export interface SegmentNode {
  readonly plane: number;
  readonly offsetBytes: number;
  readonly limbCount: number;
  readonly residues: ResiduePair;
}

export interface SegmentProducts {
  readonly nodes: readonly SegmentNode[];
  readonly bytes: number;
  /** ∏ p^e over the segment modulo the verification moduli, by another way than the products. */
  readonly powerResidues: ResiduePair;
}

/**
 * Bytes that hold the products of a segment, every plane padded. Bound: fewer than 2·span/ln(span) primes (Brun and Titchmarsh), each shorter
 * than high and in no more planes than its exponent (n − 1)/(p − 1) has bits.
 */
export function segmentBlobBytes(n: number, low: number, span: number): number {
  const primes = Math.ceil((2 * span) / Math.log(span));
  const planes = Math.floor(Math.log2(Math.max(1, (n - 1) / Math.max(1, low - 1)))) + 1;
  const limbsPerPrime = Math.log10(Math.min(n, low + span) + 1) / 9;
  return 4 * planes * paddedLimbs(Math.ceil(primes * limbsPerPrime) + 16);
}

export default asTask(async ({ claim, n, low, span, out }: SegmentTask): Promise<SegmentProducts> => {
  const { instance, take } = openRegion(claim);
  const layout = segmentLayout(take, span);
  const state = makeLeafState(instance, layout);
  instance.kernels.fillResidueTable(layout.residueTablePtr);
  const { primes, exponents, largest } = listPrimes(n, low, Math.min(n, low + span - 1), span);
  const powerResidues = powersOf(state, layout.accPtr, primes, exponents);
  await using blob = await openBlob(out);
  const nodes: SegmentNode[] = [];
  let offsetBytes = 0;
  for (let plane = 0; 2 ** plane <= largest; plane++) {
    const count = listPlane(state, primes, exponents, plane);
    if (count === 0) continue;
    const { ptr, limbCount } = multiplyList(state, count);
    const residues = digestLimbs(instance, layout.residueTablePtr, layout.accPtr, ptr, limbCount);
    const bytes = 4 * paddedLimbs(limbCount);
    await blob.write(offsetBytes, instance.bytes.subarray(ptr, ptr + bytes));
    nodes.push({ plane, offsetBytes, limbCount, residues });
    offsetBytes += bytes;
  }
  return { nodes, bytes: offsetBytes, powerResidues };
});

function listPrimes(n: number, low: number, high: number, span: number) {
  const primes: number[] = [];
  const exponents: number[] = [];
  let largest = 0;
  for (const chunk of primeSegments(low, high, { segmentBytes: span / 2 })) {
    for (const prime of chunk) {
      const exponent = significantExponent(n, prime);
      if (exponent === 0) continue;
      primes.push(prime);
      exponents.push(exponent);
      if (exponent > largest) largest = exponent;
    }
  }
  return { primes, exponents, largest };
}

function powersOf(state: LeafState, accPtr: number, primes: readonly number[], exponents: readonly number[]): ResiduePair {
  const { instance, scratch } = state;
  const start = scratch.wordsPtr >> 2;
  for (let index = 0; index < primes.length; index++) {
    instance.words[start + 2 * index] = primes[index]!;
    instance.words[start + 2 * index + 1] = exponents[index]!;
  }
  instance.longs.fill(1n, accPtr >> 3, (accPtr >> 3) + 2);
  instance.kernels.multiplyPowerResidues(scratch.wordsPtr, primes.length, accPtr);
  return [instance.longs[accPtr >> 3]!, instance.longs[(accPtr >> 3) + 1]!];
}
