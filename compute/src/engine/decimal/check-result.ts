import type { DecimalNumber } from '../../limbs/decimal-number.ts';
import type { Ptr } from '../../wasm/bridge.ts';
import { residueBlockCount, residueBlockLimbs } from './arena.ts';
import type { ThreadState } from './thread-state.ts';

/** Residues of n! / 10^z modulo 2^61 − 1 and 2^64 − 59: as the primes have it, and as the limbs have it. */
export interface ResultResidues {
  readonly expected: readonly [bigint, bigint];
  readonly found: readonly [bigint, bigint];
}

const moduli = [2n ** 61n - 1n, 2n ** 64n - 59n] as const;

/** Residues of the result's limbs by blocks, shared out; then both residues put together, the same on every thread. */
export function residuesOfResult(state: ThreadState, result: DecimalNumber): ResultResidues {
  const { arena, instance, team } = state;
  const { longs, kernels } = instance;
  const blockCount = residueBlockCount(result.limbCount);
  const blocksPtr = arena.residuesPtr + 16 * arena.segmentCount;
  team.run(blockCount, (block) => {
    const accPtr = blocksPtr + 16 * block;
    const first = block * residueBlockLimbs;
    const count = Math.min(residueBlockLimbs, result.limbCount - first);
    longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
    kernels.appendLimbResidues(arena.residueTablePtr, result.ptr + 4 * first, count, accPtr);
  });
  const quotient = expectedResidues(state, arena.residuesPtr);
  const source = arena.sourceNumber === 0 ? ([1n, 1n] as const) : expectedResidues(state, arena.sourceResiduesPtr);
  return {
    expected: [(quotient[0] * source[0]) % moduli[0], (quotient[1] * source[1]) % moduli[1]],
    found: [sumOfBlocks(state, blocksPtr, blockCount, 0), sumOfBlocks(state, blocksPtr, blockCount, 1)],
  };
}

/** ∏ p^e modulo both moduli from what every segment left at `segmentsPtr`. */
export function expectedResidues(state: ThreadState, segmentsPtr: Ptr): readonly [bigint, bigint] {
  return [productOfSegments(state, segmentsPtr, 0), productOfSegments(state, segmentsPtr, 1)];
}

function productOfSegments(state: ThreadState, segmentsPtr: Ptr, index: 0 | 1): bigint {
  const { longs } = state.instance;
  const start = segmentsPtr >> 3;
  let product = 1n;
  for (let segment = 0; segment < state.arena.segmentCount; segment++) {
    product = (product * longs[start + 2 * segment + index]!) % moduli[index];
  }
  return product;
}

function sumOfBlocks(state: ThreadState, blocksPtr: number, blockCount: number, index: 0 | 1): bigint {
  const modulus = moduli[index];
  let step = 1n;
  for (let limb = 1; limb < residueBlockLimbs; limb *= 2) step = limb === 1 ? 10n ** 9n : (step * step) % modulus;
  step = (step * step) % modulus;
  let sum = 0n;
  for (let block = blockCount - 1; block >= 0; block--) {
    sum = (sum * step + state.instance.longs[(blocksPtr >> 3) + 2 * block + index]!) % modulus;
  }
  return sum;
}
