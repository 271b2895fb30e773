import { leadingDigits, maxLeadingDigits } from '../digits/digit-count.ts';
import type { FactorialFacts } from '../engine/engine.ts';
import { KernelError } from '../errors.ts';
import { powerMod } from '../multiply/primes.ts';
import { KernelTextResidue } from './kernel-text-residue.ts';
import { verificationModuli } from './moduli.ts';

/** Residues where nothing was followed. */
export const nothingFollowed: readonly bigint[] = verificationModuli.map(() => 0n);

/**
 * Judges the emitted text of n! against what is known of n! from elsewhere: its residues from the primes, its digit count and leading
 * digits from Stirling's series. The last two would catch a prime that the sieve lost, which residues from the same sieve cannot.
 */
export class TextVerifier {
  readonly #facts: FactorialFacts;
  readonly #residue = new KernelTextResidue();
  #head = '';
  #followedDigits = 0n;
  #isCopied = true;

  constructor(facts: FactorialFacts) {
    this.#facts = facts;
  }

  /** Take more of the text, in order; the chunk is only read. */
  update(chunk: Uint8Array): void {
    this.#takeHead(chunk);
    this.#residue.update(chunk);
  }

  /** Take more of the text, before any that `update` takes, whose residues somebody else finds from `origin`: `origin` itself, or a copy that must be the same. */
  follow(chunk: Uint8Array, origin: Uint8Array): void {
    this.#takeHead(chunk);
    this.#followedDigits += BigInt(chunk.length);
    if (chunk !== origin && Buffer.compare(chunk, origin) !== 0) this.#isCopied = false;
  }

  /**
   * Throws `KernelError` (`verification-failed`) unless the text was n!. Residues are those of `verificationModuli`: of n!, and of the origins that were
   * followed, undefined where a byte was no digit.
   */
  verify(expectedResidues: readonly bigint[], followed: readonly bigint[] | undefined): void {
    const { n, digitCount } = this.#facts;
    compare(n, 'digit count', digitCount, this.#followedDigits + this.#residue.digitCount);
    compare(n, 'leading digits', leadingDigits(n), this.#head);
    const rest = this.#residue.residues();
    const areDigits = rest !== undefined && followed !== undefined;
    compare(n, 'bytes', 'digits only', areDigits ? 'digits only' : 'others among them');
    compare(n, 'chunks', 'copies of what was written', this.#isCopied ? 'copies of what was written' : 'others');
    for (const [index, modulus] of verificationModuli.entries()) {
      const shift = powerMod(10n, this.#residue.digitCount, modulus);
      const residue = ((followed?.[index] ?? 0n) * shift + (rest?.[index] ?? 0n)) % modulus;
      compare(n, `residue modulo ${modulus}`, expectedResidues[index], residue);
    }
  }

  #takeHead(chunk: Uint8Array): void {
    if (this.#head.length >= maxLeadingDigits) return;
    this.#head += Buffer.from(chunk.subarray(0, maxLeadingDigits - this.#head.length)).toString('latin1');
  }
}

function compare<Value>(n: bigint, what: string, expected: Value, got: Value): void {
  if (expected === got) return;
  const message = `the text of ${n}! is wrong: expected ${what} ${expected}, got ${got}; nothing of it may be used`;
  throw new KernelError(message, { code: 'verification-failed' });
}
