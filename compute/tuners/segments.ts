/**
 * Prints what the products of the planes cost on one thread, from the sieve to one number each, with segments of other spans (`wantedSegments`, `minSpan`,
 * `maxSpan` in src/engine/decimal/arena.ts), and what a segment's tree costs with leaves of other sizes (`leafWords`). Longer segments have longer
 * trees, shorter ones leave more to the rounds of pairs; many are needed to share them out. Usage: node segments.ts [n]
 */
import { multiplyPlanes } from '../src/engine/decimal/plane-products.ts';
import { planArena } from '../src/engine/decimal/price.ts';
import { multiplyNeighbours, multiplySegment, placeBasePrimes } from '../src/engine/decimal/segment-products.ts';
import { openThreadState, type ThreadState } from '../src/engine/decimal/thread-state.ts';
import { primesUpTo } from '../src/factorial/prime-sieve.ts';
import { paddedLimbs } from '../src/limbs/decimal-number.ts';
import { fillTableTask, placeTables, tableTaskCount } from '../src/multiply/workspace.ts';
import { factorialFacts } from '../src/plan/plan-factorial.ts';
import { compileKernels, createMemory } from '../src/wasm/bridge.ts';
import { leastNanoseconds } from './decimal-memory.ts';

const n = Number(process.argv[2] ?? 10_000_000);
const planned = planArena(factorialFacts(BigInt(n)), 1)!;
const shortest = 2 ** 13;
/** Heaps, nodes and residues are as large as the shortest span needs; the rest is as the plan has it. */
const most = Math.ceil((n + 1) / shortest);
const perHeap = planned.heapBytes + 4 * 24 * (most + 1) * (planned.planeCount + 1);
const heapPtrs = [planned.totalBytes, planned.totalBytes + perHeap] as const;
const nodesPtr = planned.totalBytes + 2 * perHeap;
const residuesPtr = nodesPtr + 8 * most * planned.planeCount;
const module = compileKernels();
const memory = createMemory(residuesPtr + 16 * (most + 2) + 4096);

function openWith(span: number): ThreadState {
  const segmentCount = Math.ceil((n + 1) / span);
  const changed = { span, segmentCount, nodesPtr, residuesPtr, heapPtrs, heapBytes: perHeap };
  const state = openThreadState({ arena: { ...planned, ...changed }, module, memory }, 0);
  placeTables(state.instance, planned.tablesPtr, planned.levels);
  placeBasePrimes(state.instance, planned);
  state.instance.kernels.fillResidueTable(planned.residueTablePtr);
  return state;
}

const state = openWith(planned.span);
for (let task = 0; task < tableTaskCount(planned.levels); task++) {
  fillTableTask(state.instance, state.worker.tables, task, state.worker.scratchPtr);
}
for (let span = shortest; span <= planned.span; span *= 2) {
  const of = openWith(span);
  const { segmentCount } = of.arena;
  const work = () => {
    of.control.reset();
    for (let segment = 0; segment < segmentCount; segment++) multiplySegment(of, segment);
    multiplyPlanes(of);
  };
  const ms = leastNanoseconds(work, 1000) / 1e6;
  const chosen = span === planned.span ? ', as planned' : '';
  console.log(`${n}!: ${segmentCount} segments of ${span} numbers: ${ms.toFixed(1)} ms${chosen}`);
}

// The primes of one segment near n.
const primes = primesUpTo(n).filter((prime) => prime > n - planned.span);
const { words, kernels } = state.instance;
const { wordsPtr, leafScratchPtr, leafPtrs } = state.scratch;
for (const leafWords of [16, 32, 64, 128]) {
  const leafCount = Math.ceil(primes.length / leafWords);
  const nanoseconds = leastNanoseconds(() => {
    words.set(primes, wordsPtr >> 2);
    let ptr = leafPtrs[0];
    const leaves = Array.from({ length: leafCount }, (_, leaf) => {
      const first = Math.floor((leaf * primes.length) / leafCount);
      const size = Math.floor(((leaf + 1) * primes.length) / leafCount) - first;
      const limbCount = kernels.multiplyWords(wordsPtr + 4 * first, size, ptr, leafScratchPtr);
      const number = { ptr, limbCount };
      ptr += 4 * paddedLimbs(limbCount);
      return number;
    });
    multiplyNeighbours(state, leaves, ...leafPtrs);
  }, 500);
  console.log(
    `${primes.length} primes in leaves of ${leafWords}: ${(nanoseconds / primes.length).toFixed(1)} ns per prime`,
  );
}
