import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name of the file in a checkpoint folder that says what the others are. */
export const checkpointFileName = 'checkpoint.json';
const format = 'factorial-checkpoint-2';
const maxRecordBytes = 2 ** 20;

/** A stored number as the record has it; residues as decimal strings. */
export interface RecordedNumber {
  readonly file: string;
  readonly bytes: number;
  readonly offsetBytes: number;
  readonly limbCount: number;
  readonly residues: readonly [string, string];
}

/** What is finished of a run of n!: its planes, and the chain so far. `null` stands for the number 1. */
export interface CheckpointRecord {
  readonly n: string;
  /** m of the stored m! that the run starts from; null = afresh. */
  readonly from: string | null;
  /** m!, until it is multiplied in. */
  readonly source: RecordedNumber | null;
  readonly expectedSource: readonly [string, string];
  readonly expected: readonly [string, string];
  readonly planes: readonly (RecordedNumber | null)[];
  readonly planesLeft: number;
  readonly result: RecordedNumber | null;
}

/** The record in this folder if it is one of n!; undefined when there is none, or nothing that can be understood. */
export async function readCheckpoint(folder: string, n: bigint): Promise<CheckpointRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, checkpointFileName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const record = parseRecord(text);
  return record !== undefined && record.n === n.toString() ? record : undefined;
}

/** Replaces the record in one step: whoever reads it finds the old one or the new one, whole. */
export async function writeCheckpoint(folder: string, record: CheckpointRecord): Promise<void> {
  const path = join(folder, checkpointFileName);
  await writeFile(`${path}.new`, JSON.stringify({ format, ...record }), { flush: true });
  await rename(`${path}.new`, path);
}

function parseRecord(text: string): CheckpointRecord | undefined {
  if (text.length > maxRecordBytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A record that was damaged is no record: the run starts anew.
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is CheckpointRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<CheckpointRecord> & { format?: unknown };
  return (
    record.format === format &&
    typeof record.n === 'string' &&
    (record.from === null || typeof record.from === 'string') &&
    (record.source === null || isNumber(record.source)) &&
    isPair(record.expectedSource) &&
    isPair(record.expected) &&
    Array.isArray(record.planes) &&
    record.planes.every((plane) => plane === null || isNumber(plane)) &&
    isCount(record.planesLeft) &&
    record.planesLeft <= record.planes.length &&
    (record.result === null || isNumber(record.result))
  );
}

/** What a record calls a number, as it should be. */
export function isNumber(value: unknown): value is RecordedNumber {
  if (typeof value !== 'object' || value === null) return false;
  const { file, bytes, offsetBytes, limbCount, residues } = value as Partial<RecordedNumber>;
  return (
    typeof file === 'string' &&
    /^[\w-]{1,100}$/.test(file) &&
    isCount(bytes) &&
    isCount(offsetBytes) &&
    isCount(limbCount) &&
    limbCount > 0 &&
    offsetBytes + 4 * limbCount <= bytes &&
    isPair(residues)
  );
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => /^[0-9]{1,20}$/.test(String(item)));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
