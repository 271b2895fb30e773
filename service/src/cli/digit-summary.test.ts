import { describe, expect, it } from 'vitest';
import { DigitSummary, formatBytes, groupThousands } from './digit-summary.ts';

describe('DigitSummary', () => {
  it('keeps the first and last 60 digits whatever the chunks are', () => {
    const digits = Array.from({ length: 1000 }, (_, index) => String((index * 7) % 10)).join('');
    for (const chunkLength of [1, 7, 59, 60, 61, 500, 1000]) {
      const summary = new DigitSummary();
      for (let start = 0; start < digits.length; start += chunkLength) {
        summary.update(Buffer.from(digits.slice(start, start + chunkLength)));
      }
      expect(summary.toString(), `chunks of ${chunkLength}`).toBe(`${digits.slice(0, 60)} … ${digits.slice(-60)}`);
    }
  });
});

describe('groupThousands', () => {
  it.each([
    [0n, '0'],
    [999n, '999'],
    [1000n, '1,000'],
    [65_657_060n, '65,657,060'],
    [10n ** 20n, '100,000,000,000,000,000,000'],
  ])('writes %s as %s', (value, text) => {
    expect(groupThousands(value)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [536_870_912, '512.0 MiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
