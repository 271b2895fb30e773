import type { GMPFunctions } from 'gmp-wasm';
import { KernelError } from '../errors.ts';

/** Bytes of a limb in this build of GMP: 64 bits, although addresses have 32. */
const limbBytes = 8;
/** The binding's memory: what it starts with, and the maximum its binary declares (32,768 pages of 64 KiB). */
export const gmpInitialMemoryBytes = 258 * 65_536;
export const gmpMaxMemoryBytes = 32_768 * 65_536;

/** The build without floats: half the size of the whole, and it loads twice as fast. Its types are the package's own. */
const integerBuild: string = 'gmp-wasm/dist/mini.umd.min.js';

/** Address of one integer (an `mpz_t`) in the WASM memory of its thread. */
export type IntegerPtr = number;

/** A natural number outside WASM: little-endian 64-bit limbs, least significant first, no leading zero limbs; empty is 0. */
export type LimbBytes = SharedArrayBuffer;

/**
 * Natural numbers in the WASM memory of this thread. The caller owns every pointer it gets from `allocate` and gives it back with
 * `release`. Memory that was taken is never given back to the system before the thread ends: WASM memories do not shrink.
 *
 * Any call may grow the memory and so detach views of it; views are taken afresh after each call and never kept.
 */
export class GmpIntegers {
  readonly #binding: GMPFunctions;

  constructor(binding: GMPFunctions) {
    this.#binding = binding;
  }

  /** Bytes of WASM memory taken so far. */
  get memoryBytes(): number {
    return this.#binding.mem.length;
  }

  /** A new integer. Restrictions: 0 ≤ value < 2^32. */
  allocate(value = 0): IntegerPtr {
    const ptr = this.#binding.mpz_t();
    this.#binding.mpz_init_set_ui(ptr, value);
    return ptr;
  }

  release(...ptrs: IntegerPtr[]): void {
    for (const ptr of ptrs) {
      this.#binding.mpz_clear(ptr);
      this.#binding.mpz_t_free(ptr);
    }
  }

  /** result ← a · b; the result may be an operand. */
  multiply(result: IntegerPtr, a: IntegerPtr, b: IntegerPtr): void {
    this.#binding.mpz_mul(result, a, b);
  }

  /** value ← value · factor. Restrictions: 0 ≤ factor < 2^32. */
  multiplySmallInPlace(value: IntegerPtr, factor: number): void {
    this.#binding.mpz_mul_ui(value, value, factor);
  }

  /** value ← value^exponent. Restrictions: 0 ≤ exponent < 2^32. */
  powerInPlace(value: IntegerPtr, exponent: number): void {
    this.#binding.mpz_pow_ui(value, value, exponent);
  }

  /** dividend = quotient · divisor + remainder; quotient and remainder are two different integers. */
  divide(quotient: IntegerPtr, remainder: IntegerPtr, dividend: IntegerPtr, divisor: IntegerPtr): void {
    this.#binding.mpz_tdiv_qr(quotient, remainder, dividend, divisor);
  }

  /** The number as a new integer. */
  load(limbs: LimbBytes): IntegerPtr {
    const ptr = this.allocate();
    const limbCount = limbs.byteLength / limbBytes;
    if (limbCount === 0) return ptr;
    const target = this.#binding.mpz_limbs_write(ptr, limbCount);
    this.#binding.mem.set(new Uint8Array(limbs), target);
    this.#binding.mpz_limbs_finish(ptr, limbCount);
    return ptr;
  }

  /** A copy of the integer in shared memory. */
  store(ptr: IntegerPtr): LimbBytes {
    const byteLength = this.#binding.mpz_size(ptr) * limbBytes;
    const limbs = new SharedArrayBuffer(byteLength);
    if (byteLength === 0) return limbs;
    const source = this.#binding.mpz_limbs_read(ptr);
    new Uint8Array(limbs).set(this.#binding.mem.subarray(source, source + byteLength));
    return limbs;
  }

  /**
   * Write the integer into `text` as ASCII digits, padded with zeros on the left to its whole length.
   */
  writeDecimal(ptr: IntegerPtr, text: Uint8Array): void {
    const binding = this.#binding;
    // The estimate may be one digit too many; sign and terminator are two more.
    const string = binding.malloc(binding.mpz_sizeinbase(ptr, 10) + 2);
    binding.mpz_get_str(string, 10, ptr);
    const digitCount = binding.mem.indexOf(0, string) - string;
    const padding = text.length - digitCount;
    if (padding < 0) throw new KernelError(`expected a number of at most ${text.length} digits, got ${digitCount}`);
    text.fill(48, 0, padding);
    text.set(binding.mem.subarray(string, string + digitCount), padding);
    binding.free(string);
  }
}

let loading: Promise<GmpIntegers> | undefined;

/** The GMP instance of this thread, loaded on first use. */
export function loadGmp(): Promise<GmpIntegers> {
  loading ??= (async () => {
    const module = (await import(integerBuild)) as { default: typeof import('gmp-wasm') };
    const { binding } = await module.default.init();
    return new GmpIntegers(binding);
  })();
  return loading;
}
