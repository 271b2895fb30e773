import { createMemory, instantiateKernels, type KernelInstance, reservedBytes, sharedModule } from '../wasm/bridge.ts';
import { verificationModuli } from './moduli.ts';

/** Digits taken into WASM memory at a time, whole blocks of the kernel: the copy and the table stay in the first-level cache. */
const bufferDigits = 8 * 1024;

const tablePtr = reservedBytes;
const accPtr = tablePtr + 8 * 1024;
const textPtr = accPtr + 64;
const memoryBytes = textPtr + bufferDigits + 64;

/** An instance whose number has ended, for the next one: making one takes longer than a small factorial. */
let idle: KernelInstance | undefined;

function openInstance(): KernelInstance {
  const instance = idle ?? instantiateKernels(sharedModule(), createMemory(memoryBytes));
  idle = undefined;
  instance.kernels.fillTextResidueTable(tablePtr);
  instance.longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  return instance;
}

/**
 * The residues, modulo `verificationModuli`, of a number given as ASCII decimal digits, most significant first, chunk by chunk: what `TextResidue`
 * computes, by kernels. Cost: about 0.25 ns per digit.
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
      if (this.#buffered === bufferDigits) this.#flush();
    }
    this.#digitCount += BigInt(chunk.length);
  }

  /** The residues in the order of the moduli, undefined when a byte was no digit. To be called once, at the end. */
  residues(): readonly bigint[] | undefined {
    this.#flush();
    idle = this.#instance;
    const { longs } = this.#instance;
    return this.#strange ? undefined : verificationModuli.map((_, index) => longs[(accPtr >> 3) + index]!);
  }

  /** Takes what is buffered into the residues. */
  #flush(): void {
    const { kernels } = this.#instance;
    if (kernels.appendTextResidues(tablePtr, textPtr, this.#buffered, accPtr) === 0) this.#strange = true;
    this.#buffered = 0;
  }
}
