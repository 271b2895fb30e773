import { expect, test } from 'vitest';
import { factorialNaive } from '../test/factorial-naive.ts';
import { InputError } from './errors.ts';
import { computeTinyFactorial, tinyFactorialLimit } from './tiny-factorial.ts';

test('tiny factorials are those multiplied out', () => {
  for (const n of [0, 1, 2, 15, 16, 17, 18, 100, 1234, Number(tinyFactorialLimit)]) {
    expect(new TextDecoder().decode(computeTinyFactorial(n))).toBe(factorialNaive(n).toString());
  }
});

test('beyond the limit they are refused', () => {
  expect(() => computeTinyFactorial(tinyFactorialLimit + 1n)).toThrow(InputError);
  expect(() => computeTinyFactorial(-1)).toThrow(InputError);
});
