import { SourceError } from '../../errors.ts';
import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyUnbalanced } from '../../multiply/unbalanced.ts';
import { expectedResidues } from './check-result.ts';
import type { ThreadState } from './thread-state.ts';

/**
 * m! / 10^z(m), which somebody reads into arena.sourcePtr meanwhile, times the quotient at arena.resultPtr; the product takes the quotient's place.
 * Throws `SourceError` on every thread unless the stored digits have the residues of m! found from the primes.
 */
export function multiplySource(state: ThreadState, quotient: DecimalNumber): DecimalNumber {
  const { arena, control, instance, team, worker, teamArea } = state;
  control.awaitSource();
  assertSource(state);
  const source: DecimalNumber = { ptr: arena.sourcePtr, limbCount: arena.sourceLimbs };
  const asidePtr = source.ptr + 4 * paddedLimbs(source.limbCount);
  const aside: DecimalNumber = { ptr: asidePtr, limbCount: quotient.limbCount };
  const asideBytes = 4 * paddedLimbs(quotient.limbCount);
  team.run(1, () => instance.bytes.copyWithin(asidePtr, quotient.ptr, quotient.ptr + asideBytes));
  const [long, short] = source.limbCount >= aside.limbCount ? [source, aside] : [aside, source];
  const sidePtr = asidePtr + asideBytes;
  const product = multiplyUnbalanced(team, worker, teamArea, long, short, arena.resultPtr, sidePtr);
  team.run(1, () => {
    control.resultLimbs = product.limbCount;
  });
  return product;
}

function assertSource(state: ThreadState): void {
  const { arena, instance } = state;
  const expected = expectedResidues(state, arena.sourceResiduesPtr);
  const start = (arena.sourceResiduesPtr >> 3) + 2 * arena.segmentCount;
  const found = [instance.longs[start]!, instance.longs[start + 1]!];
  if (expected.every((residue, index) => residue === found[index])) return;
  throw SourceError.residues(BigInt(arena.sourceNumber), expected, found);
}
