import { InputError } from '../errors.ts';

const mebibyte = 2n ** 20n;
/** Most parts that S3 takes for one object. */
export const maxParts = 10_000n;
/** Parts are at least this large (S3 asks for 5 MiB), so that small objects do not become many requests. */
const smallestPartBytes = 8n * mebibyte;
/** S3's largest part, and so 48.8 TiB of object. */
const largestPartBytes = 5n * 1024n * mebibyte;

/**
 * Bytes per part for an object of exactly `digitCount` bytes: the smallest multiple of 1 MiB from 8 MiB up that needs at most 10,000
 * parts. `InputError` when S3 cannot hold the object at all.
 */
export function partBytesFor(digitCount: bigint): number {
  if (digitCount < 0n) throw new InputError('a digit count of 0 or more', `${digitCount}`);
  const needed = (digitCount + maxParts - 1n) / maxParts;
  const aligned = ((needed + mebibyte - 1n) / mebibyte) * mebibyte;
  if (aligned > largestPartBytes) {
    throw new InputError(`at most ${maxParts * largestPartBytes} bytes, the largest S3 object`, `${digitCount} bytes`);
  }
  return Number(aligned < smallestPartBytes ? smallestPartBytes : aligned);
}
