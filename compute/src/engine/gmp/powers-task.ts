import { asTask } from '../../pool/as-task.ts';
import { type LimbBytes, loadGmp } from '../../wasm/gmp.ts';
import type { DecimalLayout } from './layout.ts';

/** 10^nodeDigits(layout, k) for k from 0 to below the top level: what nodes of level k + 1 are divided by. */
export default asTask(async (layout: DecimalLayout): Promise<LimbBytes[]> => {
  const gmp = await loadGmp();
  const power = gmp.allocate(10);
  gmp.powerInPlace(power, layout.leafDigits);
  const powers: LimbBytes[] = [];
  for (let level = 0; level < layout.topLevel; level++) {
    if (level > 0) gmp.multiply(power, power, power);
    powers.push(gmp.store(power));
  }
  gmp.release(power);
  return powers;
});
