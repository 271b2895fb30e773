import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRange } from './range.ts';

const big = 10n ** 17n;

describe('a Range field', () => {
  it.each([
    ['bytes=0-0', 1n, 0n, 0n],
    ['bytes=0-', 10n, 0n, 9n],
    ['bytes=-3', 10n, 7n, 9n],
    ['bytes=-99', 10n, 0n, 9n],
    ['bytes=3-99', 10n, 3n, 9n],
    ['bytes= 3-4 ', 10n, 3n, 4n],
    ['bytes=0003-0004', 10n, 3n, 4n],
    [`bytes=9007199254740993-9007199254740995`, big, 9_007_199_254_740_993n, 9_007_199_254_740_995n],
    [`bytes=-9007199254740993`, big, big - 9_007_199_254_740_993n, big - 1n],
  ])('%s of %d bytes is %d to %d', (field, length, start, end) => {
    expect(readRange(field, length)).toEqual({ kind: 'part', range: { start, end } });
  });

  it.each([['bytes=10-'], ['bytes=10-12'], ['bytes=-0'], [`bytes=${'9'.repeat(30)}-`]])(
    '%s of 10 bytes cannot be satisfied',
    (field) => {
      expect(readRange(field, 10n)).toEqual({ kind: 'unsatisfiable' });
    },
  );

  it.each([
    [undefined],
    [''],
    ['bytes=-'],
    ['bytes=2-1'],
    ['bytes=0-1,3-4'],
    ['lines=0-1'],
    ['bytes=1.5-2'],
    ['bytes=- 1'],
  ])('%s means everything', (field) => {
    expect(readRange(field, 10n)).toEqual({ kind: 'whole' });
  });

  it('never yields positions outside of the bytes, whatever it says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'bytes=-,0123456789 ') }),
        fc.bigInt(1n, 10n ** 20n),
        (text, length) => {
          for (const field of [text, `bytes=${text}`]) {
            const read = readRange(field, length);
            if (read.kind !== 'part') continue;
            const { start, end } = read.range;
            expect(0n <= start && start <= end && end < length).toBe(true);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for a hostile field', () => {
    const startedAt = performance.now();
    for (let time = 0; time < 100; time++) readRange(`bytes=${'0'.repeat(16_000)}`, 10n);
    expect(performance.now() - startedAt).toBeLessThan(200);
  });
});
