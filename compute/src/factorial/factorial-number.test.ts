import { expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { parseFactorialNumber } from './factorial-number.ts';

test.each([
  [0, 0n],
  [20000, 20000n],
  [Number.MAX_SAFE_INTEGER, 9007199254740991n],
  [5n, 5n],
  [10n ** 19n - 1n, 9999999999999999999n],
  ['0', 0n],
  ['9007199254740993', 9007199254740993n],
  ['9999999999999999999', 9999999999999999999n],
])('%o is taken', (value, expected) => {
  expect(parseFactorialNumber(value)).toBe(expected);
});

const refused: readonly unknown[] = [
  -1,
  -0.5,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  1e300,
  -1n,
  10n ** 19n,
  10n ** 400n,
  -(10n ** 400n),
  '',
  ' ',
  ' 5',
  '5 ',
  '5\n',
  '-1',
  '+5',
  '05',
  '00',
  '1e3',
  '1.0',
  '1_000',
  '0x10',
  '٣',
  '５',
  'five',
  '10000000000000000000',
  null,
  undefined,
  true,
  [],
  [5],
  {},
  { valueOf: () => 5 },
  new Date(),
  () => 5,
  Symbol('5'),
];

test('everything else is refused with what was expected and a bounded excerpt of what was got', () => {
  for (const value of refused) {
    expect(() => parseFactorialNumber(value)).toThrow(InputError);
    expect(() => parseFactorialNumber(value)).toThrow(/^expected an integer n with 0 ≤ n < 10\^19.*, got .{1,200}$/s);
  }
});

test('an absurdly long string or bigint is refused at once and not repeated', () => {
  const startMs = performance.now();
  for (const value of ['9'.repeat(50_000_000), 1n << 50_000_000n]) {
    expect(() => parseFactorialNumber(value)).toThrow(InputError);
    expect(() => parseFactorialNumber(value)).toThrow(/^.{1,300}$/s);
  }
  expect(performance.now() - startMs).toBeLessThan(2000);
});

test('negative zero is zero', () => {
  expect(parseFactorialNumber(-0)).toBe(0n);
});
