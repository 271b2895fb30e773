import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { asTask } from '../../../pool/as-task.ts';
import { digestLimbs, segmentLayout, segmentPrimes } from './alone-state.ts';
import { openRegion, type RegionClaim } from './region.ts';
import { listSegmentPrimes, type SegmentRange } from './segment-primes.ts';
import type { ResiduePair } from './stored-number.ts';

/** One segment of the sieve. */
export interface SegmentTask extends SegmentRange {
  readonly claim: RegionClaim;
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
 * Bytes that hold the products of a segment, every plane padded. Bound: `segmentPrimes`, each shorter
 * than high and in no more planes than its exponent (n − 1)/(p − 1) has bits.
 */
export function segmentBlobBytes(n: number, low: number, span: number): number {
  const primes = segmentPrimes(span);
  const planes = Math.floor(Math.log2(Math.max(1, (n - 1) / Math.max(1, low - 1)))) + 1;
  const limbsPerPrime = Math.log10(Math.min(n, low + span) + 1) / 9;
  return 4 * planes * paddedLimbs(Math.ceil(primes * limbsPerPrime) + 16);
}

export default asTask(async ({ claim, out, ...range }: SegmentTask): Promise<SegmentProducts> => {
  const { instance, take } = openRegion(claim);
  const layout = segmentLayout(take, range.n, range.span, range.primeLimbs);
  instance.kernels.fillResidueTable(layout.residueTablePtr);
  const { largestExponent, powerResidues, sourceResidues, multiplyPlane } = listSegmentPrimes(instance, layout, range);
  await using blob = await openBlob(out);
  const nodes: SegmentNode[] = [];
  let offsetBytes = 0;
  for (let plane = 0; 2 ** plane <= largestExponent; plane++) {
    const product = multiplyPlane(plane);
    if (product === undefined) continue;
    const { ptr, limbCount } = product;
    const residues = digestLimbs(instance, layout.residueTablePtr, layout.accPtr, ptr, limbCount);
    const nodeBytes = 4 * paddedLimbs(limbCount);
    await blob.write(offsetBytes, instance.bytes.subarray(ptr, ptr + nodeBytes));
    nodes.push({ plane, offsetBytes, limbCount, residues });
    offsetBytes += nodeBytes;
  }
  return { nodes, bytes: offsetBytes, powerResidues, sourceResidues };
});
