import { limbRadix } from './prime-constants.ts';

/** Schoolbook product of limb arrays, least significant first: the sibling that every quicker way is tested against. */
export function multiplyNaive(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const radix = BigInt(limbRadix);
  const columns: bigint[] = new Array(a.length + b.length).fill(0n);
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) columns[i + j]! += BigInt(a[i]!) * BigInt(b[j]!);
  }
  let carry = 0n;
  const limbs = columns.map((column) => {
    const sum = column + carry;
    carry = sum / radix;
    return Number(sum % radix);
  });
  while (limbs.length > 0 && limbs.at(-1) === 0) limbs.pop();
  return limbs;
}
