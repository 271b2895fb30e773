import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { digitCountOfFactorial, InputError, type StoredFactorial } from '@factorial/compute';
import { groupThousands } from './digit-summary.ts';

/** Bytes read at a time. */
const blockBytes = 256 * 1024;

/**
 * The file of `--from` as a stored factorial. Throws `InputError` at once when it cannot be m!: m above n, no file, or another length. Its digits are
 * checked when they are read.
 */
export async function openSource(
  { path, n: m }: { readonly path: string; readonly n: bigint },
  n: bigint,
): Promise<StoredFactorial> {
  if (m > n) throw new InputError(`--from-n up to ${n}, to compute ${n}! from`, `${m}`);
  const file = await stat(path).catch((cause: Error) => {
    throw new InputError(`a file with the digits of ${m}!`, `${path} (${cause.message})`, { cause });
  });
  if (!file.isFile()) throw new InputError(`a file with the digits of ${m}!`, `${path}, which is none`);
  const digitCount = digitCountOfFactorial(m);
  if (BigInt(file.size) !== digitCount) {
    const got = `${path} with ${groupThousands(BigInt(file.size))} bytes`;
    throw new InputError(`a file with the ${groupThousands(digitCount)} digits of ${m}! and nothing else`, got);
  }
  return { n: m, digits: () => createReadStream(path, { highWaterMark: blockBytes }) };
}
