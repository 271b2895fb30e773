import { createHash } from 'node:crypto';
import { leadingDigits, maxLeadingDigits } from '../digits/digit-count.ts';
import { parseFactorialNumber } from '../factorial/factorial-number.ts';
import { factorialFacts } from '../plan/plan-factorial.ts';
import { factorialResiduesByKernel } from './kernel-factorial-residue.ts';
import { KernelTextResidue } from './kernel-text-residue.ts';
import { verificationModuli } from './moduli.ts';

const zeroCode = 48;

/** One thing that was looked at, as text for people and machines. */
export interface DigitCheck {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
}

export interface DigitsVerdict {
  /** The bytes are n!, all of it and nothing else (a wrong text passes with a chance of about 2^-125). */
  readonly verified: boolean;
  readonly checks: readonly DigitCheck[];
  /** Hex SHA-256 of the bytes, right or wrong. */
  readonly sha256: string;
  readonly bytes: bigint;
}

export interface VerifyDigitsOptions {
  readonly signal?: AbortSignal;
  /** Told the bytes read so far. */
  readonly onBytes?: (bytes: bigint) => void;
}

/**
 * Whether a text is n!: its length, first digits, trailing zeros, and residues modulo 2^61 − 1 and 2^64 − 59, against values found without
 * it. Streams; memory does not depend on n, and a chunk is done with when the next is asked for. Throws `InputError` for a bad n, the signal's reason, or what the text throws.
 */
export async function verifyDigits(
  n: unknown,
  text: AsyncIterable<Uint8Array>,
  options: VerifyDigitsOptions = {},
): Promise<DigitsVerdict> {
  const { signal, onBytes } = options;
  const facts = factorialFacts(parseFactorialNumber(n));
  const hash = createHash('sha256');
  const residue = new KernelTextResidue();
  let head = '';
  let zeros = 0n;
  for await (const chunk of text) {
    signal?.throwIfAborted();
    if (head.length < maxLeadingDigits) {
      head += Buffer.from(chunk.subarray(0, maxLeadingDigits - head.length)).toString('latin1');
    }
    hash.update(chunk);
    residue.update(chunk);
    const tail = trailingZeros(chunk);
    zeros = tail === chunk.length ? zeros + BigInt(tail) : BigInt(tail);
    onBytes?.(residue.digitCount);
  }
  const found = residue.residues();
  const expected = await factorialResiduesByKernel(Number(facts.n), signal);
  const checks = [
    check('digits', facts.digitCount, residue.digitCount),
    check('bytes other than digits', 'none', found === undefined ? 'some' : 'none'),
    check('first digits', leadingDigits(facts.n), head),
    check('trailing zeros', facts.trailingZeros, zeros),
    ...verificationModuli.map((modulus, index) =>
      check(`residue modulo ${modulus}`, expected[index]!, found?.[index] ?? 'none'),
    ),
  ];
  const verified = checks.every(({ ok }) => ok);
  return { verified, checks, sha256: hash.digest('hex'), bytes: residue.digitCount };
}

function check(what: string, expected: bigint | string, got: bigint | string): DigitCheck {
  return { what, expected: expected.toString(), got: got.toString(), ok: expected === got };
}

function trailingZeros(chunk: Uint8Array): number {
  let zeros = 0;
  while (zeros < chunk.length && chunk[chunk.length - 1 - zeros] === zeroCode) zeros++;
  return zeros;
}
