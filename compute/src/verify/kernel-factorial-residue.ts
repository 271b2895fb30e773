import { legendreExponent } from '../factorial/exponents.ts';
import { primesUpTo } from '../factorial/prime-sieve.ts';
import { powerMod } from '../multiply/primes.ts';
import { createMemory, instantiateKernels, reservedBytes, sharedModule } from '../wasm/bridge.ts';
import { factorialResidues } from './factorial-residue.ts';
import { verificationModuli } from './moduli.ts';

/** Numbers sieved between two looks at the signal: some milliseconds. */
const span = 2 ** 20;
/** The kernel's sieve holds numbers below 2^31. */
const kernelLimit = 2 ** 31;

/**
 * n! modulo `verificationModuli` from the primes alone, trailing zeros and all: ∏ p^e_p by kernels, about 5 ns per number up to n. Gives way to the
 * event loop and looks at the signal as it goes. Restrictions: 0 ≤ n < 2^53.
 */
export async function factorialResiduesByKernel(n: number, signal?: AbortSignal): Promise<bigint[]> {
  if (n < 2 || n >= kernelLimit) return factorialResidues(n, verificationModuli);
  const base = primesUpTo(Math.floor(Math.sqrt(n))).subarray(1);
  const accPtr = reservedBytes;
  const basePtr = accPtr + 64;
  const sievePtr = basePtr + 64 * Math.ceil((4 * base.length) / 64) + 64;
  const pairsPtr = sievePtr + 2 ** 15 + 64;
  const { kernels, words, longs } = instantiateKernels(sharedModule(), createMemory(pairsPtr + 8 * (span / 2 + 64)));
  words.set(base, basePtr >> 2);
  longs.fill(1n, accPtr >> 3, (accPtr >> 3) + 2);
  for (let low = 0; low <= n; low += span) {
    signal?.throwIfAborted();
    const high = Math.min(n, low + span - 1);
    const count = kernels.listPrimePowers(basePtr, base.length, low, high, n, 0, sievePtr, pairsPtr);
    kernels.multiplyPowerResidues(pairsPtr, count, accPtr);
    await new Promise(setImmediate);
  }
  // The kernel leaves out the powers of ten.
  const zeros = BigInt(legendreExponent(n, 5));
  return verificationModuli.map((modulus, index) => {
    return (longs[(accPtr >> 3) + index]! * powerMod(10n, zeros, modulus)) % modulus;
  });
}
