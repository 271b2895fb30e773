/**
 * Prints what the parts of n! / 10^z cost on one thread, and how many squarings of the final size the whole is, on one thread and on two: near the lower
 * bound of any algorithm that ends in one product of that size. Usage: node squaring.ts [n]
 */

import { residuesOfResult } from '../src/engine/decimal/check-result.ts';
import { ControlBlock } from '../src/engine/decimal/control.ts';
import { multiplyPlanes } from '../src/engine/decimal/plane-products.ts';
import { multiplyChain } from '../src/engine/decimal/power-chain.ts';
import { planArena } from '../src/engine/decimal/price.ts';
import { multiplySegment, placeBasePrimes } from '../src/engine/decimal/segment-products.ts';
import { openThreadState } from '../src/engine/decimal/thread-state.ts';
import { multiplyResidue } from '../src/multiply/residue.ts';
import { fillTableTask, placeTables, tableTaskCount } from '../src/multiply/workspace.ts';
import { factorialFacts } from '../src/plan/plan-factorial.ts';
import { startTaskPool } from '../src/pool/start-task-pool.ts';
import { compileKernels, createMemory, instantiateKernels } from '../src/wasm/bridge.ts';

const n = BigInt(process.argv[2] ?? 10_000_000);
const arena = planArena(factorialFacts(n), 1)!;
const share = { runId: 'tuner', arena, module: compileKernels(), memory: createMemory(arena.totalBytes) };
const state = openThreadState(share, 0);
const { instance, team, worker, teamArea } = state;
placeTables(instance, arena.tablesPtr, arena.levels);
placeBasePrimes(instance, arena);
instance.kernels.fillResidueTable(arena.residueTablePtr);

/** User time: a busy machine disturbs it least. */
function timed<Value>(name: string, work: () => Value): [Value, number] {
  const before = process.cpuUsage();
  const value = work();
  const ms = process.cpuUsage(before).user / 1000;
  console.log(`${name}: ${ms.toFixed(0)} ms`);
  return [value, ms];
}

for (let round = 0; round < 3; round++) {
  instance.bytes.fill(0, arena.controlPtr, arena.controlPtr + 2048);
  const [, tables] = timed('tables', () => {
    for (let task = 0; task < tableTaskCount(arena.levels); task++)
      fillTableTask(instance, worker.tables, task, worker.scratchPtr);
  });
  const [, segments] = timed('segments', () => {
    for (let segment = 0; segment < arena.segmentCount; segment++) multiplySegment(state, segment);
  });
  const [planes, products] = timed('planes', () => multiplyPlanes(state));
  const [result, chain] = timed('chain', () => multiplyChain(state, planes.products, planes.spareHeapPtr, 1));
  const [, residues] = timed('residues', () => residuesOfResult(state, result));
  const half = { ptr: arena.resultPtr, limbCount: 8 * Math.floor(result.limbCount / 16) };
  const [, squaring] = timed('one squaring of the final size', () =>
    multiplyResidue(team, worker, teamArea, half, half, arena.resultPtr),
  );
  console.log(`squarings: ${((tables + segments + products + chain + residues) / squaring).toFixed(2)}`);
}

const rounds = 7;
for (const threads of [1, 2]) {
  const arena = planArena(factorialFacts(n), threads)!;
  const share = { runId: `tuner ${threads}`, arena, module: compileKernels(), memory: createMemory(arena.totalBytes) };
  const instance = instantiateKernels(share.module, share.memory);
  placeTables(instance, arena.tablesPtr, arena.levels);
  placeBasePrimes(instance, arena);
  instance.kernels.fillResidueTable(arena.residueTablePtr);
  await using pool = await startTaskPool({ threads, signal: new AbortController().signal });
  let [program, squaring] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    new ControlBlock(instance, arena).reset();
    const parts = Array.from({ length: threads }, (_, threadIndex) =>
      pool.run<{ programMs: number; squaringMs: number }>(new URL('./squaring-task.ts', import.meta.url), {
        share,
        threadIndex,
      }),
    );
    for (const { programMs, squaringMs } of await Promise.all(parts)) {
      program = Math.min(program, programMs);
      squaring = Math.min(squaring, squaringMs);
    }
  }
  const ratio = (program / squaring).toFixed(2);
  console.log(
    `${n}! on ${threads}: ${program.toFixed(0)} ms, a squaring ${squaring.toFixed(0)} ms: ${ratio} squarings`,
  );
}
