import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { makeTestMemory } from '../../test/decimal/test-memory.ts';
import { log2Order, powerMod, transformPrimes } from './primes.ts';

const memory = makeTestMemory(1 << 13, 10);
const { instance, worker } = memory;
const { words, kernels } = instance;
const laneEighths = [1, 5, 3, 7];

/** e^(2πi·numerator/2^log2Denominator) modulo prime `index`. */
function root(index: number, numerator: number, log2Denominator: number): bigint {
  const { p, root: generator } = transformPrimes[index]!;
  return powerMod(BigInt(generator), BigInt(numerator) << BigInt(log2Order - log2Denominator), BigInt(p));
}

function reverseBits(value: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit++) reversed |= ((value >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

/** The constant c of lane `lane` at node (depth, b): its exponent is (rev(b) + e_lane)/2^depth. */
function nodeConstant(prime: number, depth: number, b: number, lane: number, log2Root = 0): bigint {
  return root(prime, 8 * reverseBits(b, depth) + laneEighths[lane]!, depth + 3 + log2Root);
}

describe('the twiddle tables', () => {
  test('hold the roots of every node and lane with exact quotients', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (let round = 0; round < 400; round++) {
      const prime = Math.floor(random() * 5);
      const p = BigInt(transformPrimes[prime]!.p);
      const depth = 2 * Math.floor(random() * 5);
      const b = Math.floor(random() * 2 ** depth);
      const lane = Math.floor(random() * 4);
      const contextPtr = worker.tables.contextPtrs[prime]!;
      const entry = (2 ** depth - 1) / 3 + b;
      const at = (table: number, bytes: number, offset: number) =>
        (words[(contextPtr + table) >> 2]! + bytes * entry + offset) >> 2;
      const r = nodeConstant(prime, depth, b, lane, 1);
      const s = nodeConstant(prime, depth, b, lane, 2);
      const is = (s * root(prime, 1, 2)) % p;
      for (const [value, index] of [
        [r, at(80, 32, 0)],
        [s, at(84, 64, 0)],
        [is, at(84, 64, 32)],
      ] as const) {
        const got = [BigInt(words[index + lane]!), BigInt(words[index + 4 + lane]!)];
        expect(got, `seed ${seed}: prime ${prime}, node ${depth} ${b}, lane ${lane}`).toEqual([
          value,
          (value << 32n) / p,
        ]);
      }
    }
  });
});

describe('the transform', () => {
  test.each([
    [4, 2],
    [5, 3],
    [7, 4],
    [6, 5],
  ])(
    'leaves of %i coefficients after %i levels are the polynomial modulo x^h − c, lane by lane',
    (leafLength, levels) => {
      const random = seededRandom(leafLength);
      const length = leafLength * 2 ** levels;
      const ptr = memory.take(16 * length);
      for (const [prime, contextPtr] of worker.tables.contextPtrs.entries()) {
        const { p } = transformPrimes[prime]!;
        const input = Uint32Array.from({ length: 4 * length }, () => Math.floor(random() * 4 * p));
        words.set(input, ptr >> 2);
        kernels.forwardNtt(contextPtr, ptr, 16 * length, 0, 0, levels);
        for (let lane = 0; lane < 4; lane++) {
          for (let leaf = 0; leaf < 2 ** levels; leaf += 3) {
            const c = nodeConstant(prime, levels, leaf, lane);
            for (let index = 0; index < leafLength; index++) {
              let expected = 0n;
              let power = 1n;
              for (let i = index; i < length; i += leafLength, power = (power * c) % BigInt(p)) {
                expected += BigInt(input[4 * i + lane]!) * power;
              }
              const got = words[(ptr >> 2) + 4 * (leaf * leafLength + index) + lane]!;
              expect(BigInt(got) % BigInt(p)).toBe(expected % BigInt(p));
            }
          }
        }
      }
    },
  );

  test('is undone by the inverse up to 2^levels, whole or level by level', () => {
    const random = seededRandom(11);
    for (const [leafLength, levels] of [
      [4, 0],
      [4, 1],
      [7, 6],
      [5, 9],
    ] as const) {
      const length = leafLength * 2 ** levels;
      const ptr = memory.take(16 * length);
      const contextPtr = worker.tables.contextPtrs[4]!;
      const { p } = transformPrimes[4]!;
      const input = Uint32Array.from({ length: 4 * length }, () => Math.floor(random() * 2 * p));
      words.set(input, ptr >> 2);
      kernels.forwardNtt(contextPtr, ptr, 16 * length, 0, 0, levels);
      for (let index = ptr >> 2; index < (ptr >> 2) + 4 * length; index++) words[index]! %= p;
      kernels.inverseNtt(contextPtr, ptr, 16 * length, 0, 0, levels);
      const wrong = input.findIndex((value, index) => {
        const expected = (BigInt(value) << BigInt(levels)) % BigInt(p);
        return BigInt(words[(ptr >> 2) + index]!) % BigInt(p) !== expected;
      });
      expect(wrong).toBe(-1);
    }
  });
});
