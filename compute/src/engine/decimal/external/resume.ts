import { basename } from 'node:path';
import {
  type CheckpointRecord,
  type RecordedNumber,
  readCheckpoint,
  writeCheckpoint,
} from '../../../checkpoint/checkpoint-file.ts';
import type { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import { ScratchError } from '../../../errors.ts';
import type { StoredBlob } from '../../../limbs/stored-blob.ts';
import type { FactorialFacts } from '../../engine.ts';
import type { ExternalThreads } from './external-threads.ts';
import { digestStored } from './multiply-stored.ts';
import type { StoredPlanes } from './plane-tree.ts';
import type { ChainState } from './stored-chain.ts';
import { type StoredNumber, sameResidues } from './stored-number.ts';

/** What an earlier process finished and is still intact: without planes they are to be made anew, and the chain goes on from `state` after that. */
export interface ResumedRun {
  readonly planes: StoredPlanes | undefined;
  readonly state: ChainState | undefined;
}

/** Reads a checkpoint, looks at every file it names, and keeps what is intact; the rest is removed. */
export async function resumeRun(
  store: CheckpointStore,
  threads: ExternalThreads,
  { n, source }: Pick<FactorialFacts, 'n' | 'source'>,
): Promise<ResumedRun> {
  const found = await readCheckpoint(store.directory, n);
  const record = found?.from === (source === undefined ? null : `${source.n}`) ? found : undefined;
  const named = [...(record?.planes ?? []), record?.result, record?.source].filter(
    (number) => number !== undefined && number !== null,
  );
  await store.removeOthers(new Set(named.map(({ file }) => file)));
  if (record === undefined) return { planes: undefined, state: undefined };
  const adopted = new Map<string, StoredBlob>();
  const planes: (StoredNumber | undefined)[] = [];
  let intact = true;
  for (const plane of record.planes) {
    const number = plane === null ? undefined : await adoptIntact(store, threads, plane, adopted);
    if (plane !== null && number === undefined) intact = false;
    planes.push(number);
  }
  const result = record.result === null ? undefined : await adoptIntact(store, threads, record.result, adopted);
  const stored = record.source === null ? undefined : await adoptIntact(store, threads, record.source, adopted);
  const isChainIntact =
    (record.result === null || result !== undefined) && (record.source === null || stored !== undefined);
  const pair = ([first, second]: readonly [string, string]) => [BigInt(first), BigInt(second)] as const;
  if (!intact) await removePlanes(store, planes, result);
  return {
    planes: intact
      ? { planes, expected: pair(record.expected), expectedSource: pair(record.expectedSource) }
      : undefined,
    state: isChainIntact ? { result, planesLeft: record.planesLeft, source: stored } : undefined,
  };
}

async function removePlanes(
  store: CheckpointStore,
  planes: readonly (StoredNumber | undefined)[],
  result: StoredNumber | undefined,
): Promise<void> {
  for (const plane of planes) if (plane !== undefined && plane.blob !== result?.blob) await store.remove(plane.blob);
}

/** The number if its file is there and its limbs have the residues recorded. */
async function adoptIntact(
  store: CheckpointStore,
  threads: ExternalThreads,
  recorded: RecordedNumber,
  adopted: Map<string, StoredBlob>,
): Promise<StoredNumber | undefined> {
  const { file, bytes, offsetBytes, limbCount } = recorded;
  const blob = adopted.get(file) ?? (await store.adopt(file, bytes));
  if (blob === undefined) return undefined;
  adopted.set(file, blob);
  const residues = [BigInt(recorded.residues[0]), BigInt(recorded.residues[1])] as const;
  const found = await digestStored(threads, { blob, offsetBytes, limbCount });
  if (sameResidues(found, residues)) return { blob, offsetBytes, limbCount, residues };
  await store.remove(blob);
  return undefined;
}

/** Records what is finished now. */
export async function recordProgress(
  store: CheckpointStore,
  { n, source: start }: Pick<FactorialFacts, 'n' | 'source'>,
  { planes, expected, expectedSource }: StoredPlanes,
  { result, planesLeft, source }: ChainState,
): Promise<void> {
  const record: CheckpointRecord = {
    n: n.toString(),
    from: start === undefined ? null : start.n.toString(),
    source: source === undefined ? null : recordNumber(source),
    expectedSource: [`${expectedSource[0]}`, `${expectedSource[1]}`],
    expected: [`${expected[0]}`, `${expected[1]}`],
    planes: planes.map((plane) => (plane === undefined ? null : recordNumber(plane))),
    planesLeft,
    result: result === undefined ? null : recordNumber(result),
  };
  await writeCheckpoint(store.directory, record);
}

function recordNumber({ blob, offsetBytes, limbCount, residues }: StoredNumber): RecordedNumber {
  if (blob.location.kind !== 'scratch') throw new ScratchError('expected a file to record, got shared memory');
  return {
    file: basename(blob.location.path),
    bytes: blob.bytes,
    offsetBytes,
    limbCount,
    residues: [`${residues[0]}`, `${residues[1]}`],
  };
}
