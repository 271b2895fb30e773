import { type CheckpointRecord, readCheckpoint, writeCheckpoint } from '../../../checkpoint/checkpoint-file.ts';
import type { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import { clearJournal, type JournalEntry, readJournal } from '../../../checkpoint/step-journal.ts';
import type { StoredBlob } from '../../../limbs/stored-blob.ts';
import type { FactorialFacts } from '../../engine.ts';
import type { ExternalThreads } from './external-threads.ts';
import type { StoredPlanes } from './plane-tree.ts';
import { adoptIntact, recordNumber } from './recorded-number.ts';
import type { ChainState } from './stored-chain.ts';
import type { StoredNumber } from './stored-number.ts';

/** What an earlier process finished and is still intact: without planes they are to be made anew, and the chain goes on from `state` after that. */
export interface ResumedRun {
  readonly planes: StoredPlanes | undefined;
  readonly state: ChainState | undefined;
  /** Of the step after `state`. */
  readonly entries: readonly JournalEntry[];
}

/** The name of the step that follows a state. */
export function stepName({ planesLeft }: { readonly planesLeft: number }): string {
  return `${planesLeft}`;
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
  const entries = record === undefined ? [] : await readJournal(store.directory, stepName(record));
  const files = [...named.map(({ file }) => file), ...entries.flatMap(fileOf)];
  await store.removeOthers(new Set(files));
  if (record === undefined) return { planes: undefined, state: undefined, entries };
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
  if (!isChainIntact) for (const number of [result, stored]) if (number !== undefined) await store.remove(number.blob);
  return {
    planes: intact
      ? { planes, expected: pair(record.expected), expectedSource: pair(record.expectedSource) }
      : undefined,
    state: isChainIntact ? { result, planesLeft: record.planesLeft, source: stored } : undefined,
    entries: isChainIntact ? entries : [],
  };
}

function fileOf(entry: JournalEntry): string[] {
  if (entry.kind === 'carrying') return [];
  return [entry.kind === 'range' ? entry.file : entry.number.file];
}

async function removePlanes(
  store: CheckpointStore,
  planes: readonly (StoredNumber | undefined)[],
  result: StoredNumber | undefined,
): Promise<void> {
  for (const plane of planes) if (plane !== undefined && plane.blob !== result?.blob) await store.remove(plane.blob);
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
  await clearJournal(store.directory);
}
