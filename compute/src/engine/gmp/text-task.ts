import { asTask } from '../../pool/as-task.ts';
import { type LimbBytes, loadGmp } from '../../wasm/gmp.ts';

/** A leaf to turn into text: a number below 10^leafDigits. */
export interface TextTask {
  readonly limbs: LimbBytes;
  readonly leafDigits: number;
}

/** The digits of a leaf, padded with zeros on the left. */
export default asTask(async (task: TextTask): Promise<SharedArrayBuffer> => {
  const gmp = await loadGmp();
  const text = new SharedArrayBuffer(task.leafDigits);
  const leaf = gmp.load(task.limbs);
  gmp.writeDecimal(leaf, new Uint8Array(text));
  gmp.release(leaf);
  return text;
});
