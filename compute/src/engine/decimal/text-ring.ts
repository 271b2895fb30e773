import { KernelError } from '../../errors.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import type { KernelInstance, Ptr } from '../../wasm/bridge.ts';
import { type DecimalArena, textChunkLimbs, textRingCounters, textSlotCount } from './arena.ts';

/** Index of a word of the ring; then one word per slot, then one per thread. */
const stopIndex = 0;
const nextJobIndex = 1;
const shownIndex = 2;
const releasedIndex = 3;
const strangeIndex = 4;
const firstSlotIndex = textRingCounters;

/** A sleeping thread looks for a stop this often; whoever stops it also wakes it. */
const maxSleepMs = 1_000;
/** A thread's word while it takes a job: one that is lost then leaves it unknown which. */
const taking = -1;

/** Where a chunk of text comes from and goes to. */
export interface TextChunk {
  readonly limbsPtr: Ptr;
  readonly limbCount: number;
  readonly textPtr: Ptr;
}

/**
 * How the text of a result passes from threads to the calling thread through a ring of slots. Chunk k lies in slot k mod slots. Job k: when chunk k − slots has
 * been shown, read that text again for its residues; when it has been released, write chunk k in its place. Jobs beyond the last chunk only read. Threads
 * take jobs in order, so that the calling thread gets chunks in order and what it holds on to holds the threads up.
 *
 * A slot's word is 2k + 1 once job k has read the old text, 2k + 2 once chunk k is there. Every access is atomic.
 */
export class TextRing {
  readonly chunkCount: number;
  readonly slotCount: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #base: number;
  readonly #arena: DecimalArena;
  readonly #limbCount: number;

  constructor(instance: KernelInstance, arena: DecimalArena, limbCount: number) {
    this.#words = instance.signedWords;
    this.#base = arena.textRingPtr >> 2;
    this.#arena = arena;
    this.#limbCount = limbCount;
    this.chunkCount = Math.ceil(limbCount / textChunkLimbs);
    this.slotCount = textSlotCount(arena.threads);
  }

  /** For a memory that held a run before; no thread may be at it. */
  reset(): void {
    this.#words.fill(0, this.#base, this.#base + firstSlotIndex + this.slotCount + this.#arena.threads);
  }

  /** Restrictions: 0 ≤ chunk < chunkCount. */
  chunk(chunk: number): TextChunk {
    // The highest limbs are a short chunk, all others are full.
    const first = (this.chunkCount - 1 - chunk) * textChunkLimbs;
    return {
      limbsPtr: this.#arena.resultPtr + 4 * first,
      limbCount: Math.min(textChunkLimbs, this.#limbCount - first),
      textPtr: this.#arena.areaPtr + (chunk % this.slotCount) * digitsPerLimb * textChunkLimbs,
    };
  }

  /** Where the residues of a chunk's text are left: 16 bytes. */
  residuesPtr(chunk: number): Ptr {
    return this.#arena.textResiduesPtr + 16 * chunk;
  }

  /** Whether a byte of the text was no digit. */
  get isStrange(): boolean {
    return this.#load(strangeIndex) !== 0;
  }

  noteStrange(): void {
    this.#store(strangeIndex, 1);
  }

  /**
   * The next job for this thread, undefined after the last; the one it was at first, when it takes the place of a thread that was lost in the middle of one.
   * Throws `KernelError` when that one was lost while it took a job.
   */
  takeJob(threadIndex: number, isFirst: boolean): number | undefined {
    const own = firstSlotIndex + this.slotCount + threadIndex;
    const before = this.#load(own);
    if (before === taking) throw new KernelError(`compute thread ${threadIndex} was lost while it took a task`);
    if (isFirst && before > 0 && !this.#isDone(before - 1)) return before - 1;
    this.#store(own, taking);
    const job = Atomics.add(this.#words, this.#base + nextJobIndex, 1);
    this.#store(own, job + 1);
    return job < this.chunkCount + this.slotCount ? job : undefined;
  }

  /** What is done may be shown and written over by now; beyond the last job there is nothing to do. */
  #isDone(job: number): boolean {
    if (job >= this.chunkCount + this.slotCount) return true;
    const done = job < this.chunkCount ? 2 * job + 2 : 2 * job + 1;
    return this.#load(this.#slotIndex(job)) >= done;
  }

  /** Whether a job has done its first half before. */
  isRead(job: number): boolean {
    return this.#load(this.#slotIndex(job)) > 2 * job;
  }

  markRead(job: number): void {
    this.#store(this.#slotIndex(job), 2 * job + 1);
  }

  markWritten(chunk: number): void {
    this.#store(this.#slotIndex(chunk), 2 * chunk + 2);
    Atomics.notify(this.#words, this.#base + this.#slotIndex(chunk));
  }

  /** Sleeps until a chunk has been shown; throws when the ring is stopped. */
  awaitShown(chunk: number): void {
    this.#sleepUntilBeyond(shownIndex, chunk);
  }

  /** Sleeps until a chunk has been released; throws when the ring is stopped. */
  awaitReleased(chunk: number): void {
    this.#sleepUntilBeyond(releasedIndex, chunk);
  }

  /** Resolves when a chunk is there, or the ring is stopped. Does not keep the process running. */
  async written(chunk: number): Promise<void> {
    const at = this.#slotIndex(chunk);
    for (let seen = this.#load(at); seen < 2 * chunk + 2 && !this.isStopped; seen = this.#load(at)) {
      const { async, value } = Atomics.waitAsync(this.#words, this.#base + at, seen);
      if (async) await value;
    }
  }

  /** Chunks below `count` have been looked at: they may be read again. */
  show(count: number): void {
    this.#store(shownIndex, count);
    Atomics.notify(this.#words, this.#base + shownIndex);
  }

  /** Chunks below `count` are not needed any more: they may be written over. */
  release(count: number): void {
    this.#store(releasedIndex, count);
    Atomics.notify(this.#words, this.#base + releasedIndex);
  }

  get isStopped(): boolean {
    return this.#load(stopIndex) !== 0;
  }

  /** Wakes everybody: threads throw, `written` resolves. */
  stop(): void {
    this.#store(stopIndex, 1);
    for (let index = shownIndex; index < firstSlotIndex + this.slotCount; index++) {
      Atomics.notify(this.#words, this.#base + index);
    }
  }

  #sleepUntilBeyond(index: number, chunk: number): void {
    for (let count = this.#load(index); count <= chunk; count = this.#load(index)) {
      if (this.isStopped) throw new KernelError('the text was stopped before its end');
      Atomics.wait(this.#words, this.#base + index, count, maxSleepMs);
    }
  }

  #slotIndex(chunk: number): number {
    return firstSlotIndex + (chunk % this.slotCount);
  }

  #load(index: number): number {
    return Atomics.load(this.#words, this.#base + index);
  }

  #store(index: number, value: number): void {
    Atomics.store(this.#words, this.#base + index, value);
  }
}
