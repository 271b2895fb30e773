import { InputError } from '../errors.ts';
import {
  add,
  exp,
  floorQuotient,
  type Interval,
  ln10,
  lnRatio,
  pi,
  remembered,
  scale,
  subtract,
} from './fixed-point.ts';

/** Up to here n! is multiplied out: it is quick, and the series below wants a large n. */
const exactLimit = 200n;
/** Fraction bits beyond those that the multiplication by n costs; doubled until the answer is certain. */
const firstGuardBits = 110;
/** Precisions are multiples of this, so that the constants of a few of them serve all n. */
const bitsStep = 32;
/** Most leading digits that `leadingDigits` gives. */
export const maxLeadingDigits = 20;

/** Exact number of decimal digits of n!, for any n ≥ 0; microseconds, whatever n is. */
export function digitCountOfFactorial(n: bigint): bigint {
  if (n <= exactLimit) return BigInt(exactFactorial(n).toString().length);
  return certain(n, (bits) => {
    const quotient = floorQuotient(lnFactorial(n, bits), ln10(bits));
    return { low: quotient.low + 1n, high: quotient.high + 1n };
  });
}

/**
 * The first `count` digits of n!, all of them when there are fewer.
 * Restrictions: n ≥ 0 and 1 ≤ count ≤ 20.
 */
export function leadingDigits(n: bigint, count: number = maxLeadingDigits): string {
  if (!Number.isInteger(count) || count < 1 || count > maxLeadingDigits) {
    throw new InputError(`a count of leading digits from 1 to ${maxLeadingDigits}`, `${count}`);
  }
  if (n <= exactLimit) return exactFactorial(n).toString().slice(0, count);
  const exponent = digitCountOfFactorial(n) - 1n;
  const shift = 10n ** BigInt(count - 1);
  const leading = certain(n, (bits) => {
    // ln n! − exponent·ln 10 lies in (0, ln 10); an end outside comes from too few bits.
    const rest = subtract(lnFactorial(n, bits), scale(ln10(bits), exponent));
    if (rest.low < 0n || rest.high >> BigInt(bits - 1) > 4n) return { low: 0n, high: 1n };
    const mantissa = scale(exp(rest, bits), shift);
    return { low: mantissa.low >> BigInt(bits), high: mantissa.high >> BigInt(bits) };
  });
  return leading.toString();
}

/** Widen the precision until both ends agree. They must in the end: for n > 200 the exact value is no integer. */
function certain(n: bigint, evaluate: (bits: number) => Interval): bigint {
  for (let guardBits = firstGuardBits; ; guardBits *= 2) {
    const { low, high } = evaluate(bitsStep * Math.ceil((guardBits + 2 * n.toString(2).length) / bitsStep));
    if (low === high) return low;
  }
}

/**
 * ln n! by Stirling's series
 *   (n + ½)·ln n − n + ½·ln 2π + ∑_{k=1}^{K−1} B_2k / (2k·(2k−1)·n^(2k−1)) + R,   |R| ≤ |term K|
 * (the series envelops ln Γ on the positive axis, so the first omitted term bounds the remainder).
 * Restrictions: n > 200, so that the terms fall below 2^−bits long before they grow again (bits < 1800).
 */
export function lnFactorial(n: bigint, bits: number): Interval {
  if (lastLogarithm?.n === n && lastLogarithm.bits === bits) return lastLogarithm.value;
  const unit = 1n << BigInt(bits);
  const powerTerm = half(scale(lnRatio(n, 1n, bits), 2n * n + 1n));
  const leading = subtract(add(powerTerm, half(lnTwoPi(bits))), { low: n * unit, high: n * unit });
  const value = add(leading, stirlingCorrection(n, bits));
  lastLogarithm = { n, bits, value };
  return value;
}

/** The digit count and the leading digits of one n ask for the same logarithm. */
let lastLogarithm: { readonly n: bigint; readonly bits: number; readonly value: Interval } | undefined;

const lnTwoPi = remembered((bits) => {
  const unit = 1n << BigInt(bits);
  const twoPi = scale(pi(bits), 2n);
  return { low: lnRatio(twoPi.low, unit, bits).low, high: lnRatio(twoPi.high, unit, bits).high };
});

function half(x: Interval): Interval {
  return { low: x.low >> 1n, high: (x.high >> 1n) + 1n };
}

function stirlingCorrection(n: bigint, bits: number): Interval {
  let sum = 0n;
  let terms = 0n;
  for (let k = 1n, nPower = n; ; k++, nPower *= n * n) {
    const { numerator, denominator } = bernoulliNumber(Number(k));
    const term = (numerator << BigInt(bits)) / (denominator * 2n * k * (2n * k - 1n) * nPower);
    // A quotient of 0 is a term below one unit, and it bounds the remainder.
    if (term === 0n) return { low: sum - terms - 1n, high: sum + terms + 1n };
    sum += term;
    terms++;
  }
}

interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const bernoulliSeries = bernoulliNumbers();
const knownBernoulli: Fraction[] = [];

/** B_2k; the numbers are kept, and precision bounds how many are ever asked for. */
function bernoulliNumber(k: number): Fraction {
  while (knownBernoulli.length < k) knownBernoulli.push(bernoulliSeries.next().value);
  return knownBernoulli[k - 1]!;
}

/** B_2, B_4, B_6, … exactly, from the tangent numbers: B_2k = (−1)^(k−1)·2k·T_k / (4^k·(4^k − 1)). */
export function* bernoulliNumbers(): Generator<Fraction, never> {
  // The Seidel–Entringer–Arnold triangle: row 2k − 1 ends in the tangent number T_k = 1, 2, 16, 272, …
  let row = [1n];
  for (let k = 1n; ; k++) {
    row = boustrophedon(row);
    const tangent = row.at(-1)!;
    const fourPower = 4n ** k;
    const sign = k % 2n === 1n ? 1n : -1n;
    yield { numerator: sign * 2n * k * tangent, denominator: fourPower * (fourPower - 1n) };
    row = boustrophedon(row);
  }
}

/** The next row of the triangle: partial sums of the reversed row, starting from 0. */
function boustrophedon(row: readonly bigint[]): bigint[] {
  const next = [0n];
  for (const value of row.toReversed()) next.push(next.at(-1)! + value);
  return next;
}

function exactFactorial(n: bigint): bigint {
  let product = 1n;
  for (let factor = 2n; factor <= n; factor++) product *= factor;
  return product;
}
