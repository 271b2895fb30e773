import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { computeFactorial, defaultBudget } from '../src/index.ts';
import { collectDigits } from './text.ts';

interface Golden {
  readonly digits: number;
  readonly trailingZeros: number;
  readonly sha256: string;
  readonly head?: string;
  readonly tail?: string;
}
const text = readFileSync(new URL('golden/factorials.json', import.meta.url), 'utf8');
const { factorials } = JSON.parse(text) as { factorials: Record<string, Golden> };
/** Larger ones take minutes on the reference engine. */
const largestTested = 1_000_000;
const vectors = Object.entries(factorials).filter(([n]) => Number(n) <= largestTested);

test.each(vectors)('%s! is the golden one', async (n, golden) => {
  const result = await computeFactorial(n, { budget: defaultBudget({ threads: 2, engine: 'gmp' }) });
  const { text: digits } = await collectDigits(result);
  expect(digits.length).toBe(golden.digits);
  expect(result.digitCount).toBe(BigInt(golden.digits));
  expect(result.trailingZeros).toBe(BigInt(golden.trailingZeros));
  expect(await result.sha256).toBe(golden.sha256);
  expect(digits.startsWith(golden.head ?? '')).toBe(true);
  expect(digits.endsWith(`${golden.tail ?? ''}${'0'.repeat(golden.trailingZeros)}`)).toBe(true);
});

test('the golden file was read', () => {
  expect(vectors.length).toBeGreaterThan(25);
});
