/** A reproducible generator (mulberry32) in [0, 1). Tests print the seed they made it with. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type LimbPattern = 'random' | 'nines' | 'power' | 'mixed';
const patterns: readonly LimbPattern[] = ['random', 'nines', 'power', 'mixed'];

export function pickPattern(random: () => number): LimbPattern {
  return patterns[Math.floor(random() * patterns.length)]!;
}

/** Limbs whose highest is not zero: random, all nines, a power of the radix, or long runs of nines and zeros. */
export function makeLimbs(random: () => number, count: number, pattern: LimbPattern): number[] {
  let run = 0;
  const limbs = Array.from({ length: count }, () => {
    if (pattern === 'nines') return 999_999_999;
    if (pattern === 'power') return 0;
    if (pattern === 'mixed') {
      if (random() < 0.02) run = Math.floor(random() * 3);
      if (run > 0) return run === 1 ? 999_999_999 : 0;
    }
    return Math.floor(random() * 1e9);
  });
  if (limbs[count - 1] === 0) limbs[count - 1] = 1;
  return limbs;
}
