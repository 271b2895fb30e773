import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNumber, type RecordedNumber } from './checkpoint-file.ts';

/** Name of the file in a checkpoint folder that lists what is finished of the step under way, one entry a line. */
export const journalFileName = 'step.jsonl';
/** A step has at most some thousands of parts, of some hundred bytes. */
const maxJournalBytes = 32 * 2 ** 20;

/** Residues of a product modulo one prime and one polynomial: a file of `points` words, with a checksum of them. */
export interface RecordedPart {
  readonly kind: 'part';
  readonly prime: number;
  readonly part: number;
  readonly parts: number;
  readonly points: number;
  readonly number: RecordedNumber;
}

/** Points [from, to) of every stretch of a product are written; what is still to be added above each stretch. */
export interface RecordedRange {
  readonly kind: 'range';
  readonly from: number;
  readonly to: number;
  readonly parts: number;
  readonly points: number;
  readonly file: string;
  readonly bytes: number;
  readonly carries: readonly (readonly [number, number, number])[];
}

/** From here on the carries are being added: ranges recorded before are not what they were. */
export interface RecordedCarrying {
  readonly kind: 'carrying';
}

/** A product that is finished and verified. */
export interface RecordedProduct {
  readonly kind: 'product';
  readonly number: RecordedNumber;
}

/** One line: what is finished of the product `product` of the step `step`. */
export type JournalEntry = { readonly step: string; readonly product: string } & (
  | RecordedPart
  | RecordedRange
  | RecordedCarrying
  | RecordedProduct
);

/** The entries of one step, in order; lines that are damaged, or cut off by the end of a process, are left out. */
export async function readJournal(folder: string, step: string): Promise<JournalEntry[]> {
  let text: string;
  try {
    text = await readFile(join(folder, journalFileName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  if (text.length > maxJournalBytes) return [];
  return text
    .split('\n')
    .map(parseEntry)
    .filter((entry) => entry !== undefined && entry.step === step) as JournalEntry[];
}

export async function appendJournal(folder: string, entry: JournalEntry): Promise<void> {
  await appendFile(join(folder, journalFileName), `${JSON.stringify(entry)}\n`);
}

export async function clearJournal(folder: string): Promise<void> {
  await rm(join(folder, journalFileName), { force: true });
}

function parseEntry(line: string): JournalEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A line that was damaged or cut off records nothing: that part is made again.
    return undefined;
  }
  return isEntry(value) ? value : undefined;
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Partial<Record<string, unknown>>;
  if (typeof entry.step !== 'string' || typeof entry.product !== 'string') return false;
  const hasCounts = (...names: string[]) => names.every((name) => Number.isSafeInteger(entry[name]));
  if (entry.kind === 'carrying') return true;
  if (entry.kind === 'product') return isNumber(entry.number);
  if (entry.kind === 'part') return isNumber(entry.number) && hasCounts('prime', 'part', 'parts', 'points');
  return (
    entry.kind === 'range' &&
    hasCounts('from', 'to', 'parts', 'points', 'bytes') &&
    /^[\w-]{1,100}$/.test(String(entry.file)) &&
    Array.isArray(entry.carries) &&
    entry.carries.every((carry) => Array.isArray(carry) && carry.length === 3 && carry.every(Number.isSafeInteger))
  );
}
