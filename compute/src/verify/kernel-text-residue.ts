import { digitsPerLimb } from '../multiply/prime-constants.ts';
import { powerMod } from '../multiply/primes.ts';
import { createMemory, instantiateKernels, type KernelInstance, reservedBytes, sharedModule } from '../wasm/bridge.ts';
import { verificationModuli } from './moduli.ts';

/** Digits taken into WASM memory at a time, whole limbs: the copy, its limbs and the table stay in the first-level cache. */
const bufferDigits = 9 * 1024;

const tablePtr = reservedBytes;
const accPtr = tablePtr + 8 * 1024;
const limbsPtr = accPtr + 64;
const textPtr = limbsPtr + 8 * 1024;
const memoryBytes = textPtr + bufferDigits + 64;

/** An instance whose number has ended, for the next one: making one takes longer than a small factorial. */
let idle: KernelInstance | undefined;

function openInstance(): KernelInstance {
  const instance = idle ?? instantiateKernels(sharedModule(), createMemory(memoryBytes));
  idle = undefined;
  instance.kernels.fillResidueTable(tablePtr);
  instance.longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  return instance;
}

/**
 * The residues, modulo `verificationModuli`, of a number given as ASCII decimal digits, most significant first, chunk by chunk: what `TextResidue`
 * computes, by kernels. Cost: about 0.4 ns per digit.
 */
export class KernelTextResidue {
  readonly #instance = openInstance();
  #buffered = 0;
  #digitCount = 0n;
  #strange = false;

  /** Digits taken so far. */
  get digitCount(): bigint {
    return this.#digitCount;
  }

  /** Take more digits; the chunk is only read. */
  update(chunk: Uint8Array): void {
    const { bytes } = this.#instance;
    for (let offset = 0; offset < chunk.length; ) {
      const taken = Math.min(bufferDigits - this.#buffered, chunk.length - offset);
      bytes.set(chunk.subarray(offset, offset + taken), textPtr + this.#buffered);
      this.#buffered += taken;
      offset += taken;
      if (this.#buffered === bufferDigits) this.#flush(bufferDigits);
    }
    this.#digitCount += BigInt(chunk.length);
  }

  /** The residues in the order of the moduli, undefined when a byte was no digit. To be called once, at the end. */
  residues(): readonly bigint[] | undefined {
    const residues = this.#finish();
    idle = this.#instance;
    return residues;
  }

  #finish(): readonly bigint[] | undefined {
    const { longs, kernels } = this.#instance;
    const rest = this.#buffered % digitsPerLimb;
    const whole = this.#buffered - rest;
    if (whole > 0) this.#flush(whole);
    const residues = verificationModuli.map((_, index) => longs[(accPtr >> 3) + index]!);
    if (rest === 0) return this.#strange ? undefined : residues;
    if (kernels.textToLimbs(textPtr + whole, rest, limbsPtr) === 0) this.#strange = true;
    const last = BigInt(this.#instance.words[limbsPtr >> 2]!);
    if (this.#strange) return undefined;
    return residues.map((residue, index) => {
      const modulus = verificationModuli[index]!;
      return (residue * powerMod(10n, BigInt(rest), modulus) + last) % modulus;
    });
  }

  /** Takes `digits` buffered digits, whole limbs, into the residues. */
  #flush(digits: number): void {
    const { kernels } = this.#instance;
    if (kernels.textToLimbs(textPtr, digits, limbsPtr) === 0) this.#strange = true;
    kernels.appendLimbResidues(tablePtr, limbsPtr, digits / digitsPerLimb, accPtr);
    this.#buffered -= digits;
  }
}
