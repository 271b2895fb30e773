/** 2^61 − 1, a Mersenne prime. */
export const mersenne61 = 2n ** 61n - 1n;
/** 2^64 − 59, the largest prime below 2^64. It exceeds every n that can be asked for (n < 10^19). */
export const largestPrimeBelow2To64 = 2n ** 64n - 59n;

/**
 * The primes a result is verified by. Both exceed any n that can be held, so n! is not 0 modulo either; a wrong result passes with
 * a chance of about 2^−125.
 */
export const verificationModuli: readonly bigint[] = [mersenne61, largestPrimeBelow2To64];
