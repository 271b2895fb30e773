import { primesUpTo } from '../../../factorial/prime-sieve.ts';
import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { asTask } from '../../../pool/as-task.ts';
import { largestExponent, multiplyList } from '../segment-products.ts';
import { digestLimbs, makeLeafState, segmentLayout } from './alone-state.ts';
import { openRegion, type RegionClaim } from './region.ts';
import type { ResiduePair } from './stored-number.ts';

/** The primes of [low, low + span) that are at most n. */
export interface SegmentTask {
  readonly claim: RegionClaim;
  readonly n: number;
  /** m of the stored m! that the run starts from, whose factors are left out; 0 = none. */
  readonly sourceNumber: number;
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
  /** ∏ p^e over the segment modulo the verification moduli, by another way than the products: of what is multiplied, and of m!. */
  readonly powerResidues: ResiduePair;
  readonly sourceResidues: ResiduePair;
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

export default asTask(async ({ claim, n, sourceNumber, low, span, out }: SegmentTask): Promise<SegmentProducts> => {
  const { instance, take } = openRegion(claim);
  const layout = segmentLayout(take, n, span);
  const state = makeLeafState(instance, layout);
  const { kernels, words, longs, bytes } = instance;
  const { scratch } = layout;
  kernels.fillResidueTable(layout.residueTablePtr);
  const base = primesUpTo(Math.floor(Math.sqrt(n))).subarray(1);
  words.set(base, layout.basePrimesPtr >> 2);
  const high = Math.min(n, low + span - 1);
  const { basePrimesPtr, accPtr } = layout;
  const list = (last: number, top: number, without: number) => {
    const { sievePtr, pairsPtr } = scratch;
    longs.fill(1n, accPtr >> 3, (accPtr >> 3) + 2);
    const count =
      last < low ? 0 : kernels.listPrimePowers(basePrimesPtr, base.length, low, last, top, without, sievePtr, pairsPtr);
    kernels.multiplyPowerResidues(pairsPtr, count, accPtr);
    const residues: ResiduePair = [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!];
    return { count, residues };
  };
  const { residues: sourceResidues } = list(Math.min(high, sourceNumber), sourceNumber, 0);
  const { count, residues: powerResidues } = list(high, n, sourceNumber);
  await using blob = await openBlob(out);
  const nodes: SegmentNode[] = [];
  let offsetBytes = 0;
  const largest = largestExponent(state, count, sourceNumber > 0);
  for (let plane = 0; 2 ** plane <= largest; plane++) {
    const wordCount = kernels.selectPlane(scratch.pairsPtr, count, plane, scratch.wordsPtr);
    if (wordCount === 0) continue;
    const { ptr, limbCount } = multiplyList(state, wordCount);
    const residues = digestLimbs(instance, layout.residueTablePtr, accPtr, ptr, limbCount);
    const nodeBytes = 4 * paddedLimbs(limbCount);
    await blob.write(offsetBytes, bytes.subarray(ptr, ptr + nodeBytes));
    nodes.push({ plane, offsetBytes, limbCount, residues });
    offsetBytes += nodeBytes;
  }
  return { nodes, bytes: offsetBytes, powerResidues, sourceResidues };
});
