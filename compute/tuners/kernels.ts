/** Prints nanoseconds per point (one residue modulo one prime) or per coefficient of every kernel of a product, by the length of the transform. */
import { fillLimbs, leastNanoseconds, openTunerMemory } from './decimal-memory.ts';

const memory = openTunerMemory(1 << 12, 18, 200 << 20);
const { worker } = memory;
const { kernels, words } = worker.instance;
const contextPtr = worker.tables.contextPtrs[1]!;

for (const [leafLength, levels] of [
  [5, 4],
  [6, 8],
  [7, 11],
  [7, 17],
] as const) {
  const columns = leafLength * 2 ** levels;
  const [lanesPtr, limbsPtr, outPtr] = [
    memory.take(16 * columns),
    memory.take(32 * columns),
    memory.take(32 * columns),
  ];
  const [residuesPtr, statePtr] = [memory.take(4 * 5 * 256), memory.take(64)];
  fillLimbs(memory, limbsPtr, 8 * columns);
  const bytes = 16 * columns;
  const print = (name: string, work: () => void) => {
    const inner = Math.max(1, Math.floor(5000 / columns));
    const nanoseconds = leastNanoseconds(() => {
      for (let run = 0; run < inner; run++) work();
    });
    console.log(`${leafLength}·2^${levels} columns, ${name}: ${(nanoseconds / inner / (4 * columns)).toFixed(3)} ns`);
  };
  print('split, half full', () => kernels.splitLanes(contextPtr, limbsPtr, lanesPtr, columns, 0, columns, 2));
  print('split, full', () => kernels.splitLanes(contextPtr, limbsPtr, lanesPtr, columns, 0, columns, 4));
  print('forward', () => kernels.forwardNtt(contextPtr, lanesPtr, bytes, 0, 0, levels));
  print('square', () =>
    kernels.multiplyPointwise(contextPtr, lanesPtr, lanesPtr, leafLength, 0, 0, levels, worker.scratchPtr),
  );
  print('multiply', () =>
    kernels.multiplyPointwise(contextPtr, lanesPtr, limbsPtr, leafLength, 0, 0, levels, worker.scratchPtr),
  );
  print('inverse', () => kernels.inverseNtt(contextPtr, lanesPtr, bytes, 0, 0, levels));
  print('merge', () => {
    for (let from = 0; from < columns; from += 64) {
      kernels.mergeLanes(contextPtr, lanesPtr, from, Math.min(columns, from + 64), levels, residuesPtr, 5 * 256);
    }
  });
  words.fill(0, residuesPtr >> 2, (residuesPtr >> 2) + 5 * 4 * 64);
  print('combine, per coefficient', () => {
    for (let start = 0; start < 4 * columns; start += 64) {
      kernels.combineResidues(
        worker.tables.crtPtr,
        residuesPtr,
        256,
        Math.min(64, 4 * columns - start),
        outPtr + 8 * start,
        statePtr,
      );
    }
  });
}
