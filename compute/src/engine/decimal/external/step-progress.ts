import type { CheckpointStore } from '../../../checkpoint/checkpoint-store.ts';
import {
  appendJournal,
  clearJournal,
  type JournalEntry,
  type RecordedRange,
} from '../../../checkpoint/step-journal.ts';
import { KernelError } from '../../../errors.ts';
import type { StoredBlob } from '../../../limbs/stored-blob.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import type { Carry } from './combine-task.ts';
import type { ExternalThreads } from './external-threads.ts';
import type { FoldShape } from './fold-shape.ts';
import { adoptIntact, lostNumber, recordNumber } from './recorded-number.ts';
import type { ResiduePair, StoredNumber } from './stored-number.ts';

/** A file that a finished part of the step was made from is gone, and is needed again: the step starts over. */
export class StepLostError extends KernelError {}

/** Ranges of a product that are written into `blob`. */
export interface ResumedRanges {
  readonly blob: StoredBlob;
  readonly done: readonly RecordedRange[];
}

/**
 * What is finished of one step of the chain, product by product: written down as it happens, and found again, verified, by the process that goes on.
 * An operand that the step gave back after use is _lost_: its length and residues are known, its limbs are not.
 */
export class StepProgress {
  readonly #store: CheckpointStore;
  readonly #threads: ExternalThreads;
  readonly #step: string;
  #entries: readonly JournalEntry[];
  readonly #lost = new Set<StoredNumber>();
  readonly #adopted = new Set<StoredBlob>();

  constructor(store: CheckpointStore, threads: ExternalThreads, step: string, entries: readonly JournalEntry[]) {
    this.#store = store;
    this.#threads = threads;
    this.#step = step;
    this.#entries = entries;
  }

  /** The progress of the product with this name, unique in the step. */
  product(name: string): ProductProgress {
    return new ProductProgress(this, name);
  }

  isLost(number: StoredNumber): boolean {
    return this.#lost.has(number);
  }

  /** Throws `StepLostError` unless the limbs of both are there. */
  assertThere(a: StoredNumber, b: StoredNumber): void {
    if (this.isLost(a) || this.isLost(b)) throw new StepLostError('expected the operands of a product, got none');
  }

  /** Forgets everything: the step starts over. */
  async restart(): Promise<void> {
    for (const entry of this.#entries) {
      // Also what nobody asked for before a lost operand was noticed.
      if (entry.kind === 'part' || entry.kind === 'product')
        await this.adoptFile(entry.number.file, entry.number.bytes);
    }
    for (const blob of this.#adopted) await this.#store.remove(blob);
    this.#entries = [];
    await clearJournal(this.#store.directory);
  }

  entriesOf(product: string): readonly JournalEntry[] {
    return this.#entries.filter((entry) => entry.product === product);
  }

  async append(entry: DistributiveOmit<JournalEntry, 'step'>): Promise<void> {
    await appendJournal(this.#store.directory, { ...entry, step: this.#step });
  }

  async adoptNumber(entry: Extract<JournalEntry, { kind: 'product' | 'part' }>): Promise<StoredNumber | undefined> {
    const number = await adoptIntact(this.#store, this.#threads, entry.number, new Map());
    if (number !== undefined) this.#adopted.add(number.blob);
    return number;
  }

  async adoptFile(file: string, bytes: number): Promise<StoredBlob | undefined> {
    const blob = await this.#store.adopt(file, bytes);
    if (blob !== undefined) this.#adopted.add(blob);
    return blob;
  }

  lose(entry: Extract<JournalEntry, { kind: 'product' }>): StoredNumber {
    const number = lostNumber(this.#store.directory, entry.number);
    this.#lost.add(number);
    return number;
  }
}

type DistributiveOmit<Entry, Key extends PropertyKey> = Entry extends unknown ? Omit<Entry, Key> : never;

/** One product's share of a `StepProgress`. */
export class ProductProgress {
  readonly #step: StepProgress;
  readonly #product: string;

  constructor(step: StepProgress, product: string) {
    this.#step = step;
    this.#product = product;
  }

  assertThere(a: StoredNumber, b: StoredNumber): void {
    this.#step.assertThere(a, b);
  }

  /** The progress of a product that this one is put together from, its name unique in this one. */
  inner(name: string): ProductProgress {
    return new ProductProgress(this.#step, `${this.#product}: ${name}`);
  }

  /** The product when it was finished and its limbs are there. */
  async intact(): Promise<StoredNumber | undefined> {
    const entry = this.#entries('product').at(-1);
    return entry && this.#step.adoptNumber(entry);
  }

  /** The product when it was finished; its limbs may be lost. */
  async finished(): Promise<StoredNumber | undefined> {
    const entry = this.#entries('product').at(-1);
    return entry && ((await this.#step.adoptNumber(entry)) ?? this.#step.lose(entry));
  }

  async finish(number: StoredNumber): Promise<void> {
    await this.#step.append({ product: this.#product, kind: 'product', number: recordNumber(number) });
  }

  /** Residues that are there and intact, by prime and part. */
  async parts(shape: FoldShape): Promise<(StoredBlob | undefined)[][]> {
    const found: (StoredBlob | undefined)[][] = Array.from({ length: primeCount }, () => []);
    for (const entry of this.#entries('part')) {
      const { prime, part, parts, points } = entry;
      const fits = parts === shape.parts && points === shape.points && part >= 0 && part < parts;
      if (!fits || found[prime] === undefined) continue;
      found[prime][part] ??= (await this.#step.adoptNumber(entry))?.blob;
    }
    return found;
  }

  async finishPart(
    shape: FoldShape,
    { prime, part }: { readonly prime: number; readonly part: number },
    blob: StoredBlob,
    residues: ResiduePair,
  ): Promise<void> {
    const { parts, points } = shape;
    const number = recordNumber({ blob, offsetBytes: 0, limbCount: points, residues });
    await this.#step.append({ product: this.#product, kind: 'part', prime, part, parts, points, number });
  }

  /** Ranges that were written, while no carry was added to them. */
  async ranges(shape: FoldShape): Promise<ResumedRanges | undefined> {
    if (this.#entries('carrying').length > 0) return undefined;
    const done = this.#entries('range').filter(({ parts, points }) => parts === shape.parts && points === shape.points);
    const last = done.at(-1);
    const blob = last && (await this.#step.adoptFile(last.file, last.bytes));
    return blob && { blob, done: done.filter(({ file }) => file === last.file) };
  }

  async finishRange(
    shape: FoldShape,
    from: number,
    to: number,
    carries: readonly Carry[],
    out: StoredBlob,
  ): Promise<void> {
    const { parts, points } = shape;
    const { file, bytes } = recordNumber({ blob: out, offsetBytes: 0, limbCount: 1, residues: [0n, 0n] });
    const range = { kind: 'range', from, to, parts, points, file, bytes, carries } as const;
    await this.#step.append({ product: this.#product, ...range });
  }

  async beginCarrying(): Promise<void> {
    await this.#step.append({ product: this.#product, kind: 'carrying' });
  }

  #entries<Kind extends JournalEntry['kind']>(kind: Kind): Extract<JournalEntry, { kind: Kind }>[] {
    const entries = this.#step.entriesOf(this.#product);
    return entries.filter((entry): entry is Extract<JournalEntry, { kind: Kind }> => entry.kind === kind);
  }
}
