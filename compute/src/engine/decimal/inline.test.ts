import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/decimal/random.ts';
import { factorialNaive } from '../../../test/factorial-naive.ts';
import { trailingZeroCount } from '../../factorial/exponents.ts';
import { multiplyInline } from './inline.ts';

test('memory that held another number gives every next one right, larger or smaller', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const texts: { readonly n: number; readonly text: Uint8Array }[] = [];
  for (let round = 0; round < 60; round++) {
    const n = Math.floor(random() ** 3 * 12_000);
    const { text } = multiplyInline(n, Math.ceil(n * Math.log10(n + 1)) + 1);
    texts.push({ n, text });
  }
  // Read only now: a text does not lie in the memory that was used again.
  for (const { n, text } of texts) {
    const expected = (factorialNaive(n) / 10n ** trailingZeroCount(BigInt(n))).toString();
    expect(Buffer.from(text).toString('latin1') === expected, `seed ${seed}: ${n}!`).toBe(true);
  }
});

test('every n from 0 to 300 is right', () => {
  let product = 1n;
  for (let n = 0; n <= 300; n++) {
    if (n > 0) product *= BigInt(n);
    const { text } = multiplyInline(n, 700);
    expect(Buffer.from(text).toString('latin1')).toBe(product.toString().replace(/0+$/, ''));
  }
});
