import { KernelError } from '../../../errors.ts';
import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import type { OpenBlob } from '../../../limbs/stored-blob.ts';
import { powerMod } from '../../../multiply/primes.ts';
import { verificationModuli } from '../../../verify/moduli.ts';
import type { DigestTask } from './digest-task.ts';
import type { ExternalThreads } from './external-threads.ts';
import { type ResiduePair, type StoredNumber, sameResidues } from './stored-number.ts';

const digestModule = new URL('../../../../dist/engine/decimal/external/digest-task.js', import.meta.url);

/** Ranges per thread of a phase over the whole number. */
export const rangesPerThread = 4;
/** Limbs that the residues of a number are found from at a time. */
const digestBlockLimbs = 65_536;

/** The number's limbs without the zero that its highest may be. */
export async function trimmedLimbs(blob: OpenBlob, most: number): Promise<number> {
  const top = new Uint32Array(1);
  await blob.read(4 * (most - 1), new Uint8Array(top.buffer));
  return top[0] === 0 ? most - 1 : most;
}

/** Throws `KernelError` (`verification-failed`) unless the limbs have the residues they should have. */
export async function assertIntact(threads: ExternalThreads, number: StoredNumber): Promise<void> {
  const found = await digestStored(threads, number);
  if (sameResidues(found, number.residues)) return;
  const message = `a product of ${number.limbCount} limbs is wrong: expected residues ${number.residues}, got ${found}`;
  throw new KernelError(message, { code: 'verification-failed' });
}

/** Residues of a stored number, from its limbs. */
export async function digestStored(
  threads: ExternalThreads,
  number: Pick<StoredNumber, 'blob' | 'offsetBytes' | 'limbCount'>,
): Promise<ResiduePair> {
  const width = Math.max(1, Math.ceil(number.limbCount / (threads.count * rangesPerThread)));
  const ranges: { readonly from: number; readonly to: number; residues?: ResiduePair }[] = [];
  for (let from = 0; from < number.limbCount; from += width) {
    ranges.push({ from, to: Math.min(number.limbCount, from + width) });
  }
  const blockLimbs = Math.min(digestBlockLimbs, paddedLimbs(width), 8 * Math.floor(threads.share.regionBytes / 128));
  await threads.map<(typeof ranges)[number], ResiduePair>(
    digestModule,
    ranges,
    ({ from, to }, claim): DigestTask => ({ claim, number, from, to, blockLimbs }),
    (residues, range) => {
      range.residues = residues;
    },
  );
  const sum = (index: 0 | 1): bigint => {
    const modulus = verificationModuli[index]!;
    return ranges.reduceRight((high, { from, to, residues }) => {
      const step = powerMod(10n, 9n * BigInt(to - from), modulus);
      return (high * step + residues![index]) % modulus;
    }, 0n);
  };
  return [sum(0), sum(1)];
}
