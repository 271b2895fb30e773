import { asTask } from '../../pool/as-task.ts';
import { type LimbBytes, loadGmp } from '../../wasm/gmp.ts';

export interface DivideTask {
  readonly dividend: LimbBytes;
  readonly divisor: LimbBytes;
}

export interface Halves {
  readonly quotient: LimbBytes;
  readonly remainder: LimbBytes;
}

/** Both results of one division with remainder. */
export default asTask(async (task: DivideTask): Promise<Halves> => {
  const gmp = await loadGmp();
  const dividend = gmp.load(task.dividend);
  const divisor = gmp.load(task.divisor);
  const quotient = gmp.allocate();
  const remainder = gmp.allocate();
  gmp.divide(quotient, remainder, dividend, divisor);
  const halves = { quotient: gmp.store(quotient), remainder: gmp.store(remainder) };
  gmp.release(dividend, divisor, quotient, remainder);
  return halves;
});
