import { KernelError } from '../../errors.ts';
import type { Team } from '../../multiply/team.ts';
import type { KernelInstance } from '../../wasm/bridge.ts';
import { controlWords, type DecimalArena } from './arena.ts';

/** Index of a word of the control block. */
const stopIndex = 0;
const arrivedIndex = 1;
const generationIndex = 2;
const nextTaskIndex = 3;
const progressIndex = 4;
const heapIndex = 5;
const resultIndex = 6;
const planesLeftIndex = 7;
const sourceReadyIndex = 8;
const lostIndex = 9;
const firstJoinedIndex = 10;

/** Looks at the generation before a thread goes to sleep at a barrier: some microseconds, what a short phase lasts. */
const spinCount = 2_000;
/** A sleeping thread looks for a stop this often. */
const maxSleepMs = 50;

/** The words through which the threads of one run agree. Every access is atomic. */
export class ControlBlock {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #base: number;

  constructor(instance: KernelInstance, arena: DecimalArena) {
    this.#words = instance.signedWords;
    this.#base = arena.controlPtr >> 2;
  }

  /** For a memory that held a run before, or a run that begins again; no thread may be in it. */
  reset(): void {
    this.#words.fill(0, this.#base, this.#base + controlWords);
  }

  /** Every thread comes once: a second one in its place has lost what the first one knew, and stops the run. */
  join(threadIndex: number): void {
    if (Atomics.exchange(this.#words, this.#base + firstJoinedIndex + threadIndex, 1) === 0) return;
    Atomics.store(this.#words, this.#base + lostIndex, 1);
    this.stop();
    throw new KernelError(`compute thread ${threadIndex} was lost in the middle of a product`);
  }

  /** Whether the run was stopped because a thread was lost, not because one failed. */
  get lostThread(): boolean {
    return Atomics.load(this.#words, this.#base + lostIndex) !== 0;
  }

  stop(): void {
    Atomics.store(this.#words, this.#base + stopIndex, 1);
    Atomics.notify(this.#words, this.#base + generationIndex);
  }

  assertRunning(): void {
    if (Atomics.load(this.#words, this.#base + stopIndex) !== 0) {
      throw new KernelError('the run was stopped because one of its threads failed');
    }
  }

  takeTask(): number {
    return Atomics.add(this.#words, this.#base + nextTaskIndex, 1);
  }

  /**
   * Returns when all `threads` threads are here; the tasks of the next phase then start from 0. Throws when the run is stopped before that: what the
   * phases after it find out, every thread finds out.
   */
  meet(threads: number): void {
    const generationAt = this.#base + generationIndex;
    const generation = Atomics.load(this.#words, generationAt);
    if (Atomics.add(this.#words, this.#base + arrivedIndex, 1) + 1 === threads) {
      Atomics.store(this.#words, this.#base + nextTaskIndex, 0);
      Atomics.store(this.#words, this.#base + arrivedIndex, 0);
      Atomics.add(this.#words, generationAt, 1);
      Atomics.notify(this.#words, generationAt);
      return;
    }
    for (let spin = 0; spin < spinCount; spin++) {
      if (Atomics.load(this.#words, generationAt) !== generation) return;
    }
    while (Atomics.load(this.#words, generationAt) === generation) {
      this.assertRunning();
      Atomics.wait(this.#words, generationAt, generation, maxSleepMs);
    }
  }

  addProgress(units: number): void {
    Atomics.add(this.#words, this.#base + progressIndex, Math.round(units));
  }

  get progress(): number {
    return Atomics.load(this.#words, this.#base + progressIndex);
  }

  /** Takes bytes of the heap of segment products; the offset where they start. */
  takeHeap(bytes: number): number {
    return Atomics.add(this.#words, this.#base + heapIndex, bytes);
  }

  /** Limbs of the result, when it is there. */
  get resultLimbs(): number {
    return Atomics.load(this.#words, this.#base + resultIndex);
  }

  set resultLimbs(limbCount: number) {
    Atomics.store(this.#words, this.#base + resultIndex, limbCount);
  }

  /** Says that the stored number and its residues are in place. */
  announceSource(): void {
    Atomics.store(this.#words, this.#base + sourceReadyIndex, 1);
    Atomics.notify(this.#words, this.#base + sourceReadyIndex);
  }

  /** Returns when the stored number is there; throws when the run is stopped. */
  awaitSource(): void {
    while (Atomics.load(this.#words, this.#base + sourceReadyIndex) === 0) {
      this.assertRunning();
      Atomics.wait(this.#words, this.#base + sourceReadyIndex, 0, maxSleepMs);
    }
  }

  /** Planes that the chain has still to take in. */
  get planesLeft(): number {
    return Atomics.load(this.#words, this.#base + planesLeftIndex);
  }

  set planesLeft(count: number) {
    Atomics.store(this.#words, this.#base + planesLeftIndex, count);
  }
}

/** The threads of a run as a team: tasks are taken one by one, and a phase ends for all at once. */
export class SharedTeam implements Team {
  readonly threads: number;
  readonly #control: ControlBlock;
  #units = 0;

  constructor(control: ControlBlock, threads: number) {
    this.#control = control;
    this.threads = threads;
  }

  weigh(units: number): void {
    this.#units = units;
  }

  advance(share: number): void {
    if (this.#units > 0) this.#control.addProgress(this.#units * share);
  }

  run(count: number, task: (index: number) => void): void {
    for (let index = this.#control.takeTask(); index < count; index = this.#control.takeTask()) {
      this.#control.assertRunning();
      task(index);
    }
    this.#control.meet(this.threads);
  }
}
