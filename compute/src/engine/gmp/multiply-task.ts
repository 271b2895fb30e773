import { asTask } from '../../pool/as-task.ts';
import { type LimbBytes, loadGmp } from '../../wasm/gmp.ts';

export interface MultiplyTask {
  readonly a: LimbBytes;
  readonly b: LimbBytes;
}

/** a · b */
export default asTask(async (task: MultiplyTask): Promise<LimbBytes> => {
  const gmp = await loadGmp();
  const a = gmp.load(task.a);
  const b = gmp.load(task.b);
  gmp.multiply(a, a, b);
  const product = gmp.store(a);
  gmp.release(a, b);
  return product;
});
