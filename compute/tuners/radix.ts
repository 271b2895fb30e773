/**
 * Prints what one squaring costs for the same number with coefficients of 18 digits modulo five primes, as it is done, and of 9 digits modulo three, which has
 * twice the points. Transforms and the way back to lanes are the same kernels at both lengths; the combination of three primes is a kernel made
 * for this comparison (assembly/tuners/three-primes.ts), verified before it is timed. Three primes get the way into their lanes for nothing, where five pay
 * for it: what is printed for three is a lower bound. One thread. Usage: node radix.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limbRadix } from '../src/multiply/prime-constants.ts';
import { powerMod, transformPrimes } from '../src/multiply/primes.ts';
import { transformShape } from '../src/multiply/transform-shape.ts';
import type { Ptr } from '../src/wasm/bridge.ts';
import { leastNanoseconds, openTunerMemory } from './decimal-memory.ts';

const chunk = 64;
const memory = openTunerMemory(1 << 12, 20, 700 << 20);
const { worker } = memory;
const { kernels, words, bytes } = worker.instance;
const mostCoefficients = 8_000_000;
const lanesPtr = memory.take(4 * transformShape(mostCoefficients).coefficients);
const limbsPtr = memory.take(16 * mostCoefficients);
const [sourcePtr, residuesPtr, outPtr] = [memory.take(20 * chunk), memory.take(20 * chunk), memory.take(8 * chunk)];
const [statePtr, threePtr, mergedPtr] = [memory.take(64), memory.take(128), memory.take(4 * 4 * chunk)];

type CombineThree = (crt: Ptr, residues: Ptr, primeBytes: number, count: number, out: Ptr, state: Ptr) => void;

/** The kernel of three primes over the tuner's memory, compiled as the others are. */
function buildThree(): CombineThree {
  const folder = mkdtempSync(join(tmpdir(), 'three-primes-'));
  try {
    const asc = createRequire(import.meta.url).resolve('assemblyscript/package.json');
    const source = new URL('../assembly/tuners/three-primes.ts', import.meta.url).pathname;
    const file = join(folder, 'three.wasm');
    const memoryOptions = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];
    const options = ['--runtime', 'stub', '--enable', 'simd,threads', '--use', 'abort=', '-O3', '--noAssert'];
    const args = [join(asc, '..', 'bin', 'asc.js'), source, ...memoryOptions, ...options, '-o', file];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const module = new WebAssembly.Module(readFileSync(file));
    const instance = new WebAssembly.Instance(module, { env: { memory: worker.instance.memory } });
    return (instance.exports as { readonly combineThree: CombineThree }).combineThree;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const combineThree = buildThree();
const three = transformPrimes.slice(-3).map(({ p }) => BigInt(p));

function writeThreeConstants(): void {
  const [p0, p1, p2] = three as [bigint, bigint, bigint];
  const inverse = (x: bigint, p: bigint) => powerMod(x, p - 2n, p);
  const pairs = [
    [inverse(p0, p1), p1],
    [inverse(p0, p2), p2],
    [inverse(p1, p2), p2],
  ] as const;
  const at = threePtr >> 2;
  words.set([...three.map(Number), limbRadix], at);
  words.set(
    pairs.flatMap(([w, p]) => [Number(w), Number((w << 32n) / p)]),
    at + 8,
  );
  const product = p0 * p1;
  words.set([Number(p0), Number(product % BigInt(limbRadix)), Number(product / BigInt(limbRadix))], at + 16);
  worker.instance.doubles.set([2 ** 52, 2 ** 84, 2 ** 84 + 2 ** 52, 1e-9], (threePtr + 80) >> 3);
}

/** Random coefficients as residues at sourcePtr, and their sum at B^i. */
function fillResidues(primes: readonly bigint[], step: bigint): bigint {
  const product = primes.reduce((all, p) => all * p, 1n);
  let sum = 0n;
  for (let index = chunk - 1; index >= 0; index--) {
    const coefficient = (product * BigInt(Math.floor(Math.random() * 2 ** 52))) >> 52n;
    for (const [k, p] of primes.entries()) words[(sourcePtr >> 2) + chunk * k + index] = Number(coefficient % p);
    sum = sum * step + coefficient;
  }
  return sum;
}

/** The limbs at outPtr must be the lowest of the sum. */
function assertSum(sum: bigint, limbCount: number): void {
  let rest = sum;
  for (let limb = 0; limb < limbCount; limb++, rest /= BigInt(limbRadix)) {
    const got = words[(outPtr >> 2) + limb];
    if (got !== Number(rest % BigInt(limbRadix)))
      throw new Error(`expected limb ${rest % BigInt(limbRadix)}, got ${got}`);
  }
}

/** Nanoseconds per coefficient of one combination, its residues fresh each time. */
function combineCost(combine: () => void, sum: bigint, limbCount: number): number {
  const once = () => {
    bytes.copyWithin(residuesPtr, sourcePtr, sourcePtr + 20 * chunk);
    words.fill(0, statePtr >> 2, (statePtr >> 2) + 16);
    combine();
  };
  once();
  assertSum(sum, limbCount);
  return (
    leastNanoseconds(() => {
      for (let run = 0; run < 1000; run++) once();
    }) /
    1000 /
    chunk
  );
}

writeThreeConstants();
const five = transformPrimes.map(({ p }) => BigInt(p));
const fiveSum = fillResidues(five, BigInt(limbRadix) ** 2n);
const { crtPtr, contextPtrs } = worker.tables;
const combineFive = () => kernels.combineResidues(crtPtr, residuesPtr, 4 * chunk, chunk, outPtr, statePtr);
const fiveCost = combineCost(combineFive, fiveSum, 2 * chunk);
const threeSum = fillResidues(three, BigInt(limbRadix));
const threeCost = combineCost(
  () => combineThree(threePtr, residuesPtr, 4 * chunk, chunk, outPtr, statePtr),
  threeSum,
  chunk,
);
console.log(`combination, ns per coefficient: five primes ${fiveCost.toFixed(1)}, three ${threeCost.toFixed(1)}`);

/** Nanoseconds modulo one prime: of transforms and product with the way back from the lanes, and of the way into them. */
function onePrime(coefficients: number): { readonly transform: number; readonly split: number } {
  const { leafLength, levels, columns } = transformShape(coefficients);
  const contextPtr = contextPtrs[0]!;
  const laneBytes = 16 * columns;
  const transform = leastNanoseconds(() => {
    kernels.forwardNtt(contextPtr, lanesPtr, laneBytes, 0, 0, levels);
    kernels.multiplyPointwise(contextPtr, lanesPtr, lanesPtr, leafLength, 0, 0, levels, worker.scratchPtr);
    kernels.inverseNtt(contextPtr, lanesPtr, laneBytes, 0, 0, levels);
    for (let from = 0; from < columns; from += chunk) {
      kernels.mergeLanes(contextPtr, lanesPtr, from, Math.min(columns, from + chunk), levels, mergedPtr, 4 * chunk);
    }
  }, 500);
  // The operand of a square has half the coefficients.
  const split = leastNanoseconds(() => kernels.splitLanes(contextPtr, limbsPtr, lanesPtr, columns, 0, columns, 2), 300);
  return { transform, split };
}

for (const digits of [100_000, 1_000_000, 10_000_000, 63_000_000]) {
  const [long, short] = [Math.ceil(digits / 9), Math.ceil(digits / 18)];
  const [one, other] = [onePrime(short), onePrime(long)];
  const fiveTransforms = (5 * one.transform) / digits;
  const threeTransforms = (3 * other.transform) / digits;
  const fiveAll = fiveTransforms + (5 * one.split + fiveCost * short) / digits;
  const threeAll = threeTransforms + (threeCost * long) / digits;
  const [a, b, c, d] = [fiveTransforms, threeTransforms, fiveAll, threeAll].map((value) => value.toFixed(2));
  console.log(
    `${digits} digits, ns per digit: transforms ${a} and ${b} (${(threeTransforms / fiveTransforms).toFixed(2)}), ` +
      `whole ${c} and at least ${d} (${(threeAll / fiveAll).toFixed(2)})`,
  );
}
