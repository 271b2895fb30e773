import { expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { factorialNaive } from '../../test/factorial-naive.ts';
import { KernelError } from '../errors.ts';
import { definedResidueLimit, residuesByDefinition } from './defined-residue.ts';
import { factorialResidues } from './factorial-residue.ts';
import { verificationModuli } from './moduli.ts';
import { assertTinyText } from './tiny-text.ts';

const textOf = (n: number) => new TextEncoder().encode(factorialNaive(n).toString());

test('residues by definition are those from the primes', () => {
  for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 100, 1_001, 20_000, definedResidueLimit]) {
    expect(residuesByDefinition(n)).toEqual(factorialResidues(n, verificationModuli));
  }
});

test('n! itself passes', () => {
  for (const n of [0, 1, 2, 9, 10, 24, 1_000]) assertTinyText(n, textOf(n));
});

test('any flipped bit of the text is noticed', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (const n of [1, 3, 14, 100, 700]) {
    for (let round = 0; round < 200; round++) {
      const text = textOf(n);
      text[Math.floor(random() * text.length)]! ^= 1 << Math.floor(random() * 8);
      expect(() => assertTinyText(n, text), `seed ${seed}, ${n}!, round ${round}`).toThrow(KernelError);
    }
  }
  // A text that failed leaves nothing behind that would spoil the next one.
  assertTinyText(700, textOf(700));
});

test('another n, a digit too many or too few, and a leading zero are noticed', () => {
  const text = textOf(50);
  const longer = new Uint8Array(text.length + 1).fill(48);
  longer.set(text, 1);
  const wrong: readonly [number, Uint8Array][] = [
    [51, text],
    [50, text.subarray(1)],
    [50, text.subarray(0, -1)],
    [50, longer],
    [50, new Uint8Array(0)],
  ];
  for (const [n, bytes] of wrong) expect(() => assertTinyText(n, bytes)).toThrow(/the text of \d+! is wrong/);
});
