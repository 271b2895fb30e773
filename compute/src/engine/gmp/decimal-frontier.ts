import type { TaskPool } from '../../pool/task-pool.ts';
import type { ProgressMeter } from '../../progress-meter.ts';
import type { LimbBytes } from '../../wasm/gmp.ts';
import type { DivideTask, Halves } from './divide-task.ts';
import { type DecimalLayout, nodeDigits, textsPerThread } from './layout.ts';
import type { TextTask } from './text-task.ts';
import { convertUnits } from './work-units.ts';

const divideModule = new URL('../../../dist/engine/gmp/divide-task.js', import.meta.url);
const textModule = new URL('../../../dist/engine/gmp/text-task.js', import.meta.url);

/** A number on the way to its digits: limbs waiting, a task under way, or text ready. */
interface Node {
  readonly level: number;
  readonly limbs: LimbBytes;
  task: Promise<void> | undefined;
  text: SharedArrayBuffer | undefined;
}

/**
 * Turns a number into its digits from the most significant end, by repeated division.
 *
 * The frontier is the list of nodes that together are the number, in order. Above level 0 a node is divided and its place taken
 * by its halves; at level 0 it becomes text, which leaves at the front. Threads always work on the nodes nearest to
 * the front, and texts ahead of the consumer are bounded, so that a slow consumer stops the work.
 */
export class DecimalFrontier {
  readonly #pool: TaskPool;
  readonly #layout: DecimalLayout;
  /** The divisor of nodes of level k + 1 at index k. */
  readonly #powers: readonly LimbBytes[];
  readonly #meter: ProgressMeter;
  readonly #nodes: Node[];
  #running = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    pool: TaskPool,
    layout: DecimalLayout,
    powers: readonly LimbBytes[],
    number: LimbBytes,
    meter: ProgressMeter,
  ) {
    this.#pool = pool;
    this.#layout = layout;
    this.#powers = powers;
    this.#meter = meter;
    this.#nodes = [{ level: layout.topLevel, limbs: number, task: undefined, text: undefined }];
  }

  /** All digits, leading zeros of the topmost node included, one text per leaf. */
  async *texts(): AsyncGenerator<Uint8Array> {
    for (let front = this.#nodes[0]; front !== undefined; front = this.#nodes[0]) {
      if (front.text !== undefined) {
        this.#nodes.shift();
        this.#startTasks();
        yield new Uint8Array(front.text);
        continue;
      }
      this.#startTasks();
      await (front.task ?? Promise.race(this.#nodes.map((node) => node.task).filter((task) => task !== undefined)));
      if (this.#failure !== undefined) throw this.#failure.error;
    }
  }

  #startTasks(): void {
    let texts = 0;
    for (const node of this.#nodes) {
      if (this.#failure !== undefined || this.#running >= this.#pool.concurrency) return;
      const isText = node.level === 0;
      if (isText) texts++;
      if (node.task !== undefined) continue;
      if (isText && texts > textsPerThread * this.#pool.concurrency) return;
      this.#running++;
      node.task = this.#perform(node, isText);
    }
  }

  /** Never rejects: a failure is kept for the consumer, who may not be waiting. */
  async #perform(node: Node, isText: boolean): Promise<void> {
    try {
      if (isText) await this.#convert(node);
      else await this.#divide(node);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running--;
    this.#startTasks();
  }

  async #convert(node: Node): Promise<void> {
    const task: TextTask = { limbs: node.limbs, leafDigits: this.#layout.leafDigits };
    node.text = await this.#pool.run<SharedArrayBuffer>(textModule, task);
    this.#meter.advance('decimal', convertUnits(this.#layout.leafDigits));
  }

  async #divide(node: Node): Promise<void> {
    const level = node.level - 1;
    const task: DivideTask = { dividend: node.limbs, divisor: this.#powers[level]! };
    const halves = await this.#pool.run<Halves>(divideModule, task);
    const children = [halves.quotient, halves.remainder].map((limbs) => ({
      level,
      limbs,
      task: undefined,
      text: undefined,
    }));
    this.#nodes.splice(this.#nodes.indexOf(node), 1, ...children);
    this.#meter.advance('decimal', nodeDigits(this.#layout, node.level));
  }
}
