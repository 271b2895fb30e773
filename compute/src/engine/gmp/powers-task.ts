import { asTask } from '../../pool/as-task.ts';
import { type LimbBytes, loadGmp } from '../../wasm/gmp.ts';
import { type DecimalLayout, nodeDigits } from './layout.ts';

/** 10^(digits of a node of level k) for k from the task level to below the top: what the divisions above the tasks divide by. */
export default asTask(async (layout: DecimalLayout): Promise<LimbBytes[]> => {
  const gmp = await loadGmp();
  const power = gmp.allocate(10);
  gmp.powerInPlace(power, nodeDigits(layout, layout.taskLevel));
  const powers: LimbBytes[] = [];
  for (let level = layout.taskLevel; level < layout.topLevel; level++) {
    if (level > layout.taskLevel) gmp.multiply(power, power, power);
    powers.push(gmp.store(power));
  }
  gmp.release(power);
  return powers;
});
