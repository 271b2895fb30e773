import type { LimbBytes } from '../src/wasm/gmp.ts';

/** A natural number as GMP limbs in shared memory. */
export function limbsOf(value: bigint): LimbBytes {
  const limbs: bigint[] = [];
  for (let rest = value; rest > 0n; rest >>= 64n) limbs.push(rest & (2n ** 64n - 1n));
  const bytes = new SharedArrayBuffer(limbs.length * 8);
  new BigUint64Array(bytes).set(limbs);
  return bytes;
}

export function numberOf(limbs: LimbBytes): bigint {
  return new BigUint64Array(limbs).reduceRight((value, limb) => (value << 64n) | limb, 0n);
}
