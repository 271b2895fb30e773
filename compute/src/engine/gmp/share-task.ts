import { planeCount, planePrimes } from '../../factorial/exponent-planes.ts';
import { asTask } from '../../pool/as-task.ts';
import { type GmpIntegers, type IntegerPtr, type LimbBytes, loadGmp } from '../../wasm/gmp.ts';
import { ProductTree } from './product-tree.ts';

/** Which part of n! / 10^z to multiply out: every plane's primes are dealt out to `shareCount` shares in turn. */
export interface ShareTask {
  readonly n: number;
  readonly shareIndex: number;
  readonly shareCount: number;
}

/** The product of one share, from the highest plane down: R ← R² · P_i. */
export default asTask(async (task: ShareTask): Promise<LimbBytes> => {
  const gmp = await loadGmp();
  const result = gmp.allocate(1);
  for (let plane = planeCount(task.n) - 1; plane >= 0; plane--) {
    const planeProduct = multiplyPlane(gmp, task, plane);
    gmp.multiply(result, result, result);
    gmp.multiply(result, result, planeProduct);
    gmp.release(planeProduct);
  }
  const limbs = gmp.store(result);
  gmp.release(result);
  return limbs;
});

function multiplyPlane(gmp: GmpIntegers, task: ShareTask, plane: number): IntegerPtr {
  const tree = new ProductTree(gmp);
  let turn = 0;
  for (const primes of planePrimes(task.n, plane)) {
    for (const prime of primes) {
      if (turn === task.shareIndex) tree.push(prime);
      turn = turn + 1 === task.shareCount ? 0 : turn + 1;
    }
  }
  return tree.takeProduct();
}
