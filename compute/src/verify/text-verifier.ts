import { leadingDigits, maxLeadingDigits } from '../digits/digit-count.ts';
import type { FactorialFacts } from '../engine/engine.ts';
import { KernelError } from '../errors.ts';
import { KernelTextResidue } from './kernel-text-residue.ts';
import { verificationModuli } from './moduli.ts';

/**
 * Judges the emitted text of n! against what is known of n! from elsewhere: its residues from the primes, its digit count and leading
 * digits from Stirling's series. The last two would catch a prime that the sieve lost, which residues from the same sieve cannot.
 */
export class TextVerifier {
  readonly #facts: FactorialFacts;
  readonly #residue = new KernelTextResidue();
  #head = '';

  constructor(facts: FactorialFacts) {
    this.#facts = facts;
  }

  /** Take more of the text, in order; the chunk is only read. */
  update(chunk: Uint8Array): void {
    if (this.#head.length < maxLeadingDigits) {
      this.#head += Buffer.from(chunk.subarray(0, maxLeadingDigits - this.#head.length)).toString('latin1');
    }
    this.#residue.update(chunk);
  }

  /** Throws `KernelError` (`verification-failed`) unless the text was n!; residues are those of `verificationModuli`. */
  verify(expectedResidues: readonly bigint[]): void {
    const { n, digitCount } = this.#facts;
    compare(n, 'digit count', digitCount, this.#residue.digitCount);
    compare(n, 'leading digits', leadingDigits(n), this.#head);
    const residues = this.#residue.residues();
    compare(n, 'bytes', 'digits only', residues === undefined ? 'others among them' : 'digits only');
    for (const [index, modulus] of verificationModuli.entries()) {
      compare(n, `residue modulo ${modulus}`, expectedResidues[index], residues?.[index]);
    }
  }
}

function compare<Value>(n: bigint, what: string, expected: Value, got: Value): void {
  if (expected === got) return;
  const message = `the text of ${n}! is wrong: expected ${what} ${expected}, got ${got}; nothing of it may be used`;
  throw new KernelError(message, { code: 'verification-failed' });
}
