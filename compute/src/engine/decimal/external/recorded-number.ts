import { basename, join } from 'node:path';
import type { RecordedNumber } from '../../../checkpoint/checkpoint-file.ts';
import type { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import { ScratchError } from '../../../errors.ts';
import type { StoredBlob } from '../../../limbs/stored-blob.ts';
import type { ExternalThreads } from './external-threads.ts';
import { digestStored } from './stored-digest.ts';
import { type ResiduePair, type StoredNumber, sameResidues } from './stored-number.ts';

/** A stored number as a record has it. */
export function recordNumber({ blob, offsetBytes, limbCount, residues }: StoredNumber): RecordedNumber {
  if (blob.location.kind !== 'scratch') throw new ScratchError('expected a file to record, got shared memory');
  return {
    file: basename(blob.location.path),
    bytes: blob.bytes,
    offsetBytes,
    limbCount,
    residues: [`${residues[0]}`, `${residues[1]}`],
  };
}

/** The number if its file is there and its limbs have the residues recorded. */
export async function adoptIntact(
  store: CheckpointStore,
  threads: ExternalThreads,
  recorded: RecordedNumber,
  adopted: Map<string, StoredBlob>,
): Promise<StoredNumber | undefined> {
  const { file, bytes, offsetBytes, limbCount } = recorded;
  const blob = adopted.get(file) ?? (await store.adopt(file, bytes));
  if (blob === undefined) return undefined;
  adopted.set(file, blob);
  const residues = residuesOf(recorded);
  const found = await digestStored(threads, { blob, offsetBytes, limbCount });
  if (sameResidues(found, residues)) return { blob, offsetBytes, limbCount, residues };
  await store.remove(blob);
  return undefined;
}

/** A number of which only the record is left. */
export function lostNumber(directory: string, recorded: RecordedNumber): StoredNumber {
  const { file, bytes, offsetBytes, limbCount } = recorded;
  const blob: StoredBlob = { location: { kind: 'scratch', path: join(directory, file) }, bytes };
  return { blob, offsetBytes, limbCount, residues: residuesOf(recorded) };
}

function residuesOf({ residues: [first, second] }: RecordedNumber): ResiduePair {
  return [BigInt(first), BigInt(second)];
}
