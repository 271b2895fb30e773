import type { GmpIntegers, IntegerPtr } from '../../wasm/gmp.ts';

/** Factors multiplied one by one before the tree takes over. */
const leafFactors = 32;

/**
 * Binary splitting over a stream: the product of factors pushed one by one, none of them kept. Finished sub-products wait on a
 * stack, and two of the same height become one of the next, so operands of a multiplication are of like size.
 */
export class ProductTree {
  readonly #gmp: GmpIntegers;
  readonly #stack: { readonly ptr: IntegerPtr; readonly height: number }[] = [];
  #leaf: IntegerPtr;
  #leafCount = 0;

  constructor(gmp: GmpIntegers) {
    this.#gmp = gmp;
    this.#leaf = gmp.allocate(1);
  }

  /** Restrictions: 1 ≤ factor < 2^32. */
  push(factor: number): void {
    this.#gmp.multiplySmallInPlace(this.#leaf, factor);
    this.#leafCount++;
    if (this.#leafCount < leafFactors) return;
    this.#merge(this.#leaf, 0);
    this.#leaf = this.#gmp.allocate(1);
    this.#leafCount = 0;
  }

  #merge(ptr: IntegerPtr, leafHeight: number): void {
    let height = leafHeight;
    while (this.#stack.at(-1)?.height === height) {
      const left = this.#stack.pop()!;
      this.#gmp.multiply(ptr, left.ptr, ptr);
      this.#gmp.release(left.ptr);
      height++;
    }
    this.#stack.push({ ptr, height });
  }

  /** The product of all factors, 1 if there were none; the caller owns it, and the tree is used up. */
  takeProduct(): IntegerPtr {
    const product = this.#leaf;
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      this.#gmp.multiply(product, product, node.ptr);
      this.#gmp.release(node.ptr);
    }
    return product;
  }
}
