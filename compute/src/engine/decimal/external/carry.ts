import type { OpenBlob } from '../../../limbs/stored-blob.ts';
import { limbRadix } from '../../../multiply/prime-constants.ts';
import type { Carry } from './combine-task.ts';

/** Limbs looked at together: a carry goes further than three limbs only through limbs of all nines. */
const windowLimbs = 64;

/**
 * Adds a carry to the number in `blob` at limb `at`; writes back what changed and stops where the carry ends. Beyond `limbCount` limbs there is nothing
 * to add to: the carry is zero there, because the product has no more.
 */
export async function addCarry(blob: OpenBlob, limbCount: number, at: number, carry: Carry): Promise<void> {
  let position = at;
  let pending: readonly number[] = carry;
  while (position < limbCount && pending.some((limb) => limb !== 0)) {
    const count = Math.min(windowLimbs, limbCount - position);
    const limbs = new Uint32Array(count);
    const view = new Uint8Array(limbs.buffer);
    await blob.read(4 * position, view);
    let carryOut = 0;
    for (let index = 0; index < count; index++) {
      const sum = limbs[index]! + (pending[index] ?? 0) + carryOut;
      carryOut = sum >= limbRadix ? 1 : 0;
      limbs[index] = sum - carryOut * limbRadix;
      if (carryOut === 0 && index >= pending.length) break;
    }
    await blob.write(4 * position, view);
    position += count;
    pending = [carryOut];
  }
}
