/**
 * Prints the wall time of n! / 10^z on threads for other values of the thresholds in src/engine/decimal/tuning.ts: each value in turn, several rounds,
 * the least of each. Usage: node thresholds.ts [threads] [n…]
 */
import { randomUUID } from 'node:crypto';
import { ControlBlock } from '../src/engine/decimal/control.ts';
import { planArena } from '../src/engine/decimal/price.ts';
import { placeBasePrimes } from '../src/engine/decimal/segment-products.ts';
import { defaultTuning, type Tuning } from '../src/engine/decimal/tuning.ts';
import { placeTables } from '../src/multiply/workspace.ts';
import { factorialFacts } from '../src/plan/plan-factorial.ts';
import { startTaskPool } from '../src/pool/start-task-pool.ts';
import type { TaskPool } from '../src/pool/task-pool.ts';
import { compileKernels, createMemory, instantiateKernels, type KernelInstance } from '../src/wasm/bridge.ts';

const threads = Number(process.argv[2] ?? 2);
const numbers = process.argv.length > 3 ? process.argv.slice(3) : ['1000000', '10000000'];
const rounds = 5;
const productModule = new URL('../dist/engine/decimal/product-task.js', import.meta.url);
const module = compileKernels();

const candidates: { readonly [Name in keyof Tuning]: readonly number[] } = {
  // Not below what the tree of one segment needs.
  aloneCoefficients: [1 << 14, 1 << 15, 1 << 16, 1 << 17],
  chainAloneCoefficients: [1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14],
  togetherBytes: [1, 2, 4, 8, 16, 32].map((mebibytes) => mebibytes * 2 ** 20),
};

async function wallMs(pool: TaskPool, n: bigint, tuning: Tuning, used: KernelInstance): Promise<number> {
  const arena = planArena(factorialFacts(n), threads, tuning)!;
  const control = new ControlBlock(used, arena);
  control.reset();
  placeTables(used, arena.tablesPtr, arena.levels);
  placeBasePrimes(used, arena);
  used.kernels.fillResidueTable(arena.residueTablePtr);
  const share = { runId: randomUUID(), arena, module, memory: used.memory };
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: threads }, (_, threadIndex) => pool.run(productModule, { share, threadIndex })),
  );
  return performance.now() - startMs;
}

await using pool = await startTaskPool({ threads, signal: new AbortController().signal });
for (const text of numbers) {
  const n = BigInt(text);
  // One memory for all, and touched before: first touches would cost more than any threshold brings.
  const largest = planArena(factorialFacts(n), threads, { ...defaultTuning, aloneCoefficients: 1 << 17 })!;
  const instance = instantiateKernels(module, createMemory(largest.totalBytes));
  await wallMs(pool, n, defaultTuning, instance);
  for (const name of Object.keys(candidates) as (keyof Tuning)[]) {
    const least = candidates[name].map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < rounds; round++) {
      for (const [index, value] of candidates[name].entries()) {
        least[index] = Math.min(least[index]!, await wallMs(pool, n, { ...defaultTuning, [name]: value }, instance));
      }
    }
    console.log(
      `${n}!, ${name}, ms: ${candidates[name].map((value, i) => `${value}: ${least[i]!.toFixed(1)}`).join(', ')}`,
    );
  }
}
