import { legendreExponent } from '../factorial/exponents.ts';
import { primesUpTo } from '../factorial/prime-sieve.ts';
import { powerMod } from '../multiply/primes.ts';
import { createMemory, instantiateKernels, reservedBytes, sharedModule } from '../wasm/bridge.ts';
import { factorialResidues } from './factorial-residue.ts';
import { verificationModuli } from './moduli.ts';

/** Numbers sieved between two looks at the signal: some milliseconds. */
const span = 2 ** 20;
/** Odd numbers crossed out at a time where they exceed 32 bits: more, because there are more base primes. */
const longSieveBytes = 2 ** 18;
/** The kernel for words holds numbers below 2^31. */
const wordLimit = 2 ** 31;
/** Pairs of a span: every odd number and a 2 at most. */
const mostPairs = span / 2 + 64;

/**
 * n! modulo `verificationModuli` from the primes alone, trailing zeros and all: ∏ p^e_p by kernels, about 5 ns per number up to n. Gives way to the
 * event loop and looks at the signal as it goes. `wordBits`: 64 does for any n, 32 below 2^31. Restrictions: 0 ≤ n < 2^53.
 */
export async function factorialResiduesByKernel(
  n: number,
  signal?: AbortSignal,
  wordBits: 32 | 64 = n < wordLimit ? 32 : 64,
): Promise<bigint[]> {
  if (n < 2) return factorialResidues(n, verificationModuli);
  const base = primesUpTo(Math.floor(Math.sqrt(n))).subarray(1);
  const accPtr = reservedBytes;
  const basePtr = accPtr + 64;
  const sievePtr = basePtr + 64 * Math.ceil((4 * base.length) / 64) + 64;
  const pairsPtr = sievePtr + longSieveBytes + 64;
  const { kernels, words, longs } = instantiateKernels(sharedModule(), createMemory(pairsPtr + 16 * mostPairs));
  const multiplySpan = (low: number, high: number): void => {
    if (wordBits === 32) {
      const count = kernels.listPrimePowers(basePtr, base.length, low, high, n, 0, sievePtr, pairsPtr);
      kernels.multiplyPowerResidues(pairsPtr, count, accPtr);
      return;
    }
    const [from, to, top] = [BigInt(low), BigInt(high), BigInt(n)] as const;
    const sieve = [sievePtr, longSieveBytes] as const;
    const count = kernels.listLargePrimePowers(basePtr, base.length, from, to, top, 0n, ...sieve, pairsPtr);
    kernels.multiplyLargePowerResidues(pairsPtr, count, accPtr);
  };
  words.set(base, basePtr >> 2);
  longs.fill(1n, accPtr >> 3, (accPtr >> 3) + 2);
  for (let low = 0; low <= n; low += span) {
    signal?.throwIfAborted();
    multiplySpan(low, Math.min(n, low + span - 1));
    await new Promise(setImmediate);
  }
  // The kernel leaves out the powers of ten.
  const zeros = BigInt(legendreExponent(n, 5));
  return verificationModuli.map((modulus, index) => {
    return (longs[(accPtr >> 3) + index]! * powerMod(10n, zeros, modulus)) % modulus;
  });
}
