import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyAlone } from '../../multiply/multiply.ts';
import { productCoefficients } from '../../multiply/product-bound.ts';
import { multiplyResidue } from '../../multiply/residue.ts';
import type { Ptr } from '../../wasm/bridge.ts';
import type { ThreadState } from './thread-state.ts';

/** One product of a round: two neighbours of one plane, or one that has none and moves on as it is. */
interface Pair {
  readonly plane: number;
  readonly a: DecimalNumber;
  readonly b: DecimalNumber | undefined;
  readonly outPtr: Ptr;
}

export interface PlaneProducts {
  /** undefined = 1 */
  readonly products: readonly (DecimalNumber | undefined)[];
  /** The heap that holds none of them. */
  readonly spareHeapPtr: Ptr;
}

/**
 * The product of each plane, from those of its segments: rounds of pairs over all planes at once. Small products are shared out whole,
 * large ones are made by the team together. Every thread returns the same.
 */
export function multiplyPlanes(state: ThreadState): PlaneProducts {
  let planes = segmentNodes(state);
  let round = 1;
  for (; planes.some((numbers) => numbers.length > 1); round++) {
    const pairs = pairUp(planes, state.arena.heapPtrs[round % 2]!);
    const { aloneCoefficients } = state.arena.tuning;
    const isShared = (pair: Pair) => pair.b !== undefined && pairCoefficients(pair) > aloneCoefficients;
    const whole = pairs.filter((pair) => !isShared(pair)).sort((x, y) => pairCoefficients(y) - pairCoefficients(x));
    state.team.run(whole.length, (task) => multiplyPair(state, whole[task]!));
    for (const { a, b, outPtr } of pairs.filter(isShared)) {
      multiplyResidue(state.team, state.worker, state.teamArea, a, b!, outPtr);
    }
    planes = planes.map((_, plane) =>
      pairs.filter((pair) => pair.plane === plane).map((pair) => readPair(state, pair)),
    );
  }
  return { products: planes.map((numbers) => numbers[0]), spareHeapPtr: state.arena.heapPtrs[round % 2]! };
}

/** What the segments left, plane by plane. */
function segmentNodes(state: ThreadState): DecimalNumber[][] {
  const { arena, instance } = state;
  return Array.from({ length: arena.planeCount }, (_, plane) => {
    const numbers: DecimalNumber[] = [];
    for (let segment = 0; segment < arena.segmentCount; segment++) {
      const index = (arena.nodesPtr >> 2) + 2 * (plane * arena.segmentCount + segment);
      const limbCount = instance.words[index + 1]!;
      if (limbCount > 0) numbers.push({ ptr: instance.words[index]!, limbCount });
    }
    return numbers;
  });
}

function pairUp(planes: readonly DecimalNumber[][], heapPtr: Ptr): Pair[] {
  let outPtr = heapPtr;
  return planes.flatMap((numbers, plane) => {
    const pairs: Pair[] = [];
    for (let index = 0; index < numbers.length; index += 2) {
      const [a, b] = [numbers[index]!, numbers[index + 1]];
      pairs.push({ plane, a, b, outPtr });
      outPtr += 4 * paddedLimbs(a.limbCount + (b?.limbCount ?? 0));
    }
    return pairs;
  });
}

function pairCoefficients({ a, b }: Pair): number {
  return productCoefficients(a.limbCount, b?.limbCount ?? 0);
}

function multiplyPair(state: ThreadState, { a, b, outPtr }: Pair): void {
  if (b === undefined) state.instance.bytes.copyWithin(outPtr, a.ptr, a.ptr + 4 * paddedLimbs(a.limbCount));
  else multiplyAlone(state.worker, state.ownArea, a, b, outPtr);
}

/** The number that a pair became; its highest limb tells how long it is. */
function readPair(state: ThreadState, { a, b, outPtr }: Pair): DecimalNumber {
  const most = a.limbCount + (b?.limbCount ?? 0);
  const top = state.instance.words[(outPtr >> 2) + most - 1];
  return { ptr: outPtr, limbCount: top === 0 ? most - 1 : most };
}
