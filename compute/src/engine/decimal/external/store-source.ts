import { SourceError } from '../../../errors.ts';
import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import type { LimbStore } from '../../../limbs/limb-store.ts';
import { openBlob } from '../../../limbs/stored-blob.ts';
import { digitsPerLimb } from '../../../multiply/prime-constants.ts';
import { readSource } from '../../../source/read-source.ts';
import type { EngineRun, SourceFacts } from '../../engine.ts';
import { type ResiduePair, type StoredNumber, sameResidues } from './stored-number.ts';

/** Reads the digits of a stored m! into the store, in bounded memory. `onBytes`: bytes of each chunk. Throws as `readSource`. */
export async function storeSource(
  { source, signal }: Pick<EngineRun, 'source' | 'signal'>,
  facts: SourceFacts,
  store: LimbStore,
  onBytes: (bytes: number) => void,
): Promise<StoredNumber> {
  if (source === undefined) throw new SourceError('expected the digits of a stored factorial, got none');
  const limbCount = Math.ceil(Number(facts.digitCount - facts.trailingZeros) / digitsPerLimb);
  const blob = await store.create('source', 4 * paddedLimbs(limbCount));
  await using opened = await openBlob(blob);
  const onLimbs = (first: number, { buffer, byteOffset, byteLength }: Uint32Array<SharedArrayBuffer>) =>
    opened.write(4 * first, new Uint8Array(buffer, byteOffset, byteLength));
  const residues = await readSource({ source, facts, signal, onLimbs, onBytes });
  return { blob, offsetBytes: 0, limbCount, residues };
}

/** Throws `SourceError` unless the stored number has the residues of m! / 10^z(m). */
export function assertSource(m: bigint, { residues }: StoredNumber, expected: ResiduePair): void {
  if (!sameResidues(residues, expected)) throw SourceError.residues(m, expected, residues);
}
