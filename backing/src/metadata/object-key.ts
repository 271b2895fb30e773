import { randomBytes } from 'node:crypto';

/**
 * A key for one claim of one attempt: `factorials/<n>/<attempt>-<random>.txt`. The random part (96 bits) keeps two claimers of
 * the same attempt from ever writing the same object.
 */
export function makeObjectKey(n: bigint, attempt: number): string {
  return `factorials/${n}/${attempt}-${randomBytes(12).toString('hex')}.txt`;
}
