/**
 * Prints what six orders of the same chain ∏ P_i^(2^i) cost on one thread, from the same planes with the same products:
 *   (R·P)·R   plane by plane          R²·P     plane by plane
 *   (T·Q)·T   two planes at a time    T²·Q     two planes at a time, T = R², Q = P_{i+1}²·P_i; likewise three, T = R⁴
 * All must come to the same limbs. Usage: node chain.ts [n]
 */
import { multiplyPlanes } from '../src/engine/decimal/plane-products.ts';
import { planArena } from '../src/engine/decimal/price.ts';
import { multiplySegment, placeBasePrimes } from '../src/engine/decimal/segment-products.ts';
import { openThreadState } from '../src/engine/decimal/thread-state.ts';
import { type DecimalNumber, paddedLimbs } from '../src/limbs/decimal-number.ts';
import { multiplyAlone, schoolbookLimbs } from '../src/multiply/multiply.ts';
import { multiplyResidue } from '../src/multiply/residue.ts';
import { multiplyUnbalanced } from '../src/multiply/unbalanced.ts';
import { fillTableTask, placeTables, tableTaskCount } from '../src/multiply/workspace.ts';
import { factorialFacts } from '../src/plan/plan-factorial.ts';
import { compileKernels, createMemory, type Ptr } from '../src/wasm/bridge.ts';

const n = BigInt(process.argv[2] ?? 10_000_000);
const arena = planArena(factorialFacts(n), 1)!;
const bufferBytes = 4 * (paddedLimbs(arena.limbCount) + 4096);
const memory = createMemory(arena.totalBytes + 5 * bufferBytes);
const state = openThreadState({ arena, module: compileKernels(), memory }, 0);
const { instance, team, worker, teamArea, ownArea } = state;
placeTables(instance, arena.tablesPtr, arena.levels);
placeBasePrimes(instance, arena);
for (let task = 0; task < tableTaskCount(arena.levels); task++) {
  fillTableTask(instance, worker.tables, task, worker.scratchPtr);
}
for (let segment = 0; segment < arena.segmentCount; segment++) multiplySegment(state, segment);
const planes = multiplyPlanes(state).products;

const free = new Set<Ptr>([0, 1, 2, 3, 4].map((index) => arena.totalBytes + index * bufferBytes));
const sidePtr = [...free][4]!;
free.delete(sidePtr);

function take(): Ptr {
  const [ptr] = free;
  if (ptr === undefined) throw new RangeError('expected a free buffer');
  free.delete(ptr);
  return ptr;
}

/** a·b in a buffer of its own; operands that lie in buffers are given back, unless kept. */
function times(a: DecimalNumber, b: DecimalNumber, kept?: DecimalNumber): DecimalNumber {
  const outPtr = take();
  const [long, short] = a.limbCount >= b.limbCount ? [a, b] : [b, a];
  let product: DecimalNumber;
  if (short.limbCount <= schoolbookLimbs) product = multiplyAlone(worker, ownArea, long, short, outPtr);
  else if (a === b) product = multiplyResidue(team, worker, teamArea, a, a, outPtr);
  else product = multiplyUnbalanced(team, worker, teamArea, long, short, outPtr, sidePtr);
  for (const { ptr } of new Set([a, b])) {
    if (ptr >= arena.totalBytes && ptr !== kept?.ptr) free.add(ptr);
  }
  return product;
}

type Step = (r: DecimalNumber, factor: DecimalNumber) => DecimalNumber;
const productFirst: Step = (r, factor) => times(times(r, factor, r), r);
const squareFirst: Step = (r, factor) => times(times(r, r), factor);

/** The chain from the highest plane down, `atOnce` planes a step when as many are left. */
function chain(step: Step, atOnce: number): DecimalNumber {
  let left = planes.length;
  const one = take();
  instance.words.set([1, 0, 0, 0, 0, 0, 0, 0], one >> 2);
  let r: DecimalNumber = { ptr: one, limbCount: 1 };
  while (left > 0) {
    let factor = planes[--left]!;
    // What is left is a multiple of `atOnce` after the first steps.
    while (left % atOnce !== 0) {
      factor = times(times(factor, factor), planes[--left]!);
      r = times(r, r);
    }
    r = step(r, factor);
  }
  free.add(r.ptr);
  return r;
}

const orders: readonly (readonly [string, Step, number])[] = [
  ['(R·P)·R, plane by plane', productFirst, 1],
  ['R²·P, plane by plane', squareFirst, 1],
  ['(T·Q)·T, two planes at a time', productFirst, 2],
  ['T²·Q, two planes at a time', squareFirst, 2],
  ['(T·Q)·T, three planes at a time', productFirst, 3],
  ['T²·Q, three planes at a time', squareFirst, 3],
];
const least = orders.map(() => Number.POSITIVE_INFINITY);
const digests = new Set<string>();
for (let round = 0; round < 4; round++) {
  for (const [index, [, step, atOnce]] of orders.entries()) {
    const before = process.cpuUsage();
    const { ptr, limbCount } = chain(step, atOnce);
    least[index] = Math.min(least[index]!, process.cpuUsage(before).user / 1000);
    const limbs = instance.words.subarray(ptr >> 2, (ptr >> 2) + limbCount);
    digests.add(`${limbCount} ${limbs.reduce((sum, limb) => (sum * 31 + limb) % 4_294_967_291, 7)}`);
  }
}
if (digests.size !== 1) throw new Error(`expected one number from all orders, got ${[...digests].join('; ')}`);
for (const [index, [name]] of orders.entries()) console.log(`${n}!, ${name}: ${least[index]!.toFixed(0)} ms`);
