/**
 * Logarithms, exponentials and π as rigorous intervals of fixed-point numbers: a bigint x at `bits` stands for x / 2^bits, and
 * the exact value lies in [low, high]. All series truncate towards zero with positive terms, so sums err downwards only.
 */
export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

export function add(a: Interval, b: Interval): Interval {
  return { low: a.low + b.low, high: a.high + b.high };
}

export function subtract(a: Interval, b: Interval): Interval {
  return { low: a.low - b.high, high: a.high - b.low };
}

/** The interval times a non-negative integer. */
export function scale(a: Interval, factor: bigint): Interval {
  return { low: a.low * factor, high: a.high * factor };
}

/** ⌊a / b⌋ at both ends for positive intervals of the same scale: the integer quotient's lowest and highest value. */
export function floorQuotient(a: Interval, b: Interval): Interval {
  return { low: a.low / b.high, high: a.high / b.low };
}

/**
 * 2·atanh(numerator / denominator) = 2·∑ z^(2k+1)/(2k+1).
 *
 * Restrictions: 0 ≤ z = numerator/denominator ≤ 1/3.
 * Bound: the computed power of z is at most 3 units too small in every step (the error e obeys e' ≤ e/9 + 2), its quotient at most
 * 4, and once the power is 0 the omitted tail is below 4: with T terms the sum is at most 4·T + 4 too small, doubled at the end.
 */
export function twiceAtanh(numerator: bigint, denominator: bigint, bits: number): Interval {
  const scaleBits = BigInt(bits);
  const z = (numerator << scaleBits) / denominator;
  const zSquared = (z * z) >> scaleBits;
  let sum = 0n;
  let terms = 0n;
  for (let power = z; power > 0n; power = (power * zSquared) >> scaleBits) {
    sum += power / (2n * terms + 1n);
    terms++;
  }
  return { low: 2n * sum, high: 2n * (sum + 4n * terms + 4n) };
}

/** atan(1/m) for an integer m ≥ 5, alternating: each of T terms is at most 2 units off, the tail below 2. */
function atanReciprocal(m: bigint, bits: number): Interval {
  const mSquared = m * m;
  let sum = 0n;
  let terms = 0n;
  for (let power = (1n << BigInt(bits)) / m; power > 0n; power /= mSquared) {
    const term = power / (2n * terms + 1n);
    sum += terms % 2n === 0n ? term : -term;
    terms++;
  }
  const error = 2n * terms + 2n;
  return { low: sum - error, high: sum + error };
}

/** π by Machin's formula 16·atan(1/5) − 4·atan(1/239). */
export function pi(bits: number): Interval {
  return subtract(scale(atanReciprocal(5n, bits), 16n), scale(atanReciprocal(239n, bits), 4n));
}

/** Precisions of which a constant is kept. */
const maxRemembered = 8;

/** A constant whose last few precisions are kept: they are asked for again and again. */
export function remembered(compute: (bits: number) => Interval): (bits: number) => Interval {
  const values = new Map<number, Interval>();
  return (bits) => {
    let value = values.get(bits);
    if (value === undefined) {
      if (values.size === maxRemembered) values.clear();
      value = compute(bits);
      values.set(bits, value);
    }
    return value;
  };
}

export const ln2 = remembered((bits) => twiceAtanh(1n, 3n, bits));

/** ln 10 = 3·ln 2 + ln(5/4), and ln(5/4) = 2·atanh(1/9). */
export const ln10 = remembered((bits) => add(scale(ln2(bits), 3n), twiceAtanh(1n, 9n, bits)));

/** ln(numerator / denominator) for integers with numerator ≥ denominator ≥ 1. */
export function lnRatio(numerator: bigint, denominator: bigint, bits: number): Interval {
  // Bring the ratio into [1, 2) by halving, where (x − 1)/(x + 1) ≤ 1/3.
  let halvings = 0n;
  let below = denominator;
  while (below * 2n <= numerator) {
    below *= 2n;
    halvings++;
  }
  return add(scale(ln2(bits), halvings), twiceAtanh(numerator - below, numerator + below, bits));
}

/**
 * e^x for 0 ≤ x < 5/2, by Taylor's series at both ends.
 * Bound: the computed term is at most 4 units too small in every step (the error e obeys e' ≤ e·x/k + 1), and the tail is below 8.
 */
export function exp(x: Interval, bits: number): Interval {
  const low = expTruncated(x.low, bits);
  const high = expTruncated(x.high, bits);
  return { low: low.sum, high: high.sum + 4n * high.terms + 8n };
}

function expTruncated(x: bigint, bits: number): { sum: bigint; terms: bigint } {
  let sum = 0n;
  let terms = 0n;
  for (let term = 1n << BigInt(bits); term > 0n; term = (term * x) / (terms << BigInt(bits))) {
    sum += term;
    terms++;
  }
  return { sum, terms };
}
