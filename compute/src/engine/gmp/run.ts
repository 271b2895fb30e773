import type { LimbBytes } from '../../wasm/gmp.ts';
import type { EngineRun, EngineRunner } from '../engine.ts';
import { DecimalFrontier } from './decimal-frontier.ts';
import { type DecimalLayout, decimalLayout, nodeDigits } from './layout.ts';
import type { MultiplyTask } from './multiply-task.ts';
import type { ShareTask } from './share-task.ts';
import { productUnits } from './work-units.ts';

const shareModule = new URL('../../../dist/engine/gmp/share-task.js', import.meta.url);
const multiplyModule = new URL('../../../dist/engine/gmp/multiply-task.js', import.meta.url);
const powersModule = new URL('../../../dist/engine/gmp/powers-task.js', import.meta.url);

/** Multiply n! / 10^z out on the threads of the pool, and leave it ready for division. */
export const runGmp: EngineRunner = async (run) => {
  const digitCount = Number(run.facts.digitCount - run.facts.trailingZeros);
  const layout = decimalLayout(digitCount);
  run.meter.advance('sieve', 0);
  const shares = await computeShares(run, layout);
  const [number, powers] = await Promise.all([
    combineShares(run, shares),
    run.pool.run<LimbBytes[]>(powersModule, layout),
  ]);
  run.meter.advance('product', productUnits(nodeDigits(layout, layout.topLevel)) / 2);
  const frontier = new DecimalFrontier(run.pool, layout, powers, number, run.meter);
  return { chunks: () => withoutPadding(frontier, nodeDigits(layout, layout.topLevel) - digitCount) };
};

/** One product per thread, each of its share of every plane's primes. */
function computeShares(run: EngineRun, layout: DecimalLayout): Promise<LimbBytes[]> {
  const shareCount = run.pool.concurrency;
  const shareUnits = productUnits(nodeDigits(layout, layout.topLevel)) / 2 / shareCount;
  const compute = async (_: unknown, shareIndex: number): Promise<LimbBytes> => {
    const task: ShareTask = { n: Number(run.facts.n), shareIndex, shareCount };
    const limbs = await run.pool.run<LimbBytes>(shareModule, task);
    run.meter.advance('product', shareUnits);
    return limbs;
  };
  return Promise.all(Array.from({ length: shareCount }, compute));
}

/** The product of all shares, pair by pair. */
async function combineShares(run: EngineRun, shares: readonly LimbBytes[]): Promise<LimbBytes> {
  if (shares.length === 1) return shares[0]!;
  const middle = Math.ceil(shares.length / 2);
  const [a, b] = await Promise.all([
    combineShares(run, shares.slice(0, middle)),
    combineShares(run, shares.slice(middle)),
  ]);
  const task: MultiplyTask = { a: a!, b: b! };
  return run.pool.run<LimbBytes>(multiplyModule, task);
}

/** The digits after the zeros that fill the topmost nodes up. */
async function* withoutPadding(frontier: DecimalFrontier, paddingDigits: number): AsyncGenerator<Uint8Array> {
  let padding = paddingDigits;
  for await (const text of frontier.texts()) {
    const skipped = Math.min(padding, text.length);
    padding -= skipped;
    if (skipped < text.length) yield text.subarray(skipped);
  }
}
