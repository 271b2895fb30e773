import type { StoredBlob } from '../../../limbs/stored-blob.ts';
import { verificationModuli } from '../../../verify/moduli.ts';

/** Residues modulo `verificationModuli`, in their order. */
export type ResiduePair = readonly [bigint, bigint];

/**
 * A natural number in a store: limbs of nine digits, least significant first, the highest not zero, from `offsetBytes` of its blob on; zero limbs follow
 * up to the next multiple of 8. `residues` are those of the number it was meant to be: a reader can tell whether it still is.
 */
export interface StoredNumber {
  readonly blob: StoredBlob;
  readonly offsetBytes: number;
  readonly limbCount: number;
  readonly residues: ResiduePair;
}

/** Residues of a product. */
export function multiplyResiduePairs(a: ResiduePair, b: ResiduePair): ResiduePair {
  return [(a[0] * b[0]) % verificationModuli[0]!, (a[1] * b[1]) % verificationModuli[1]!];
}

export function sameResidues(a: ResiduePair, b: ResiduePair): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
