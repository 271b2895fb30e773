import { asTask } from '../../pool/as-task.ts';
import { type GmpIntegers, type IntegerPtr, type LimbBytes, loadGmp } from '../../wasm/gmp.ts';
import { type DecimalLayout, nodeDigits } from './layout.ts';

/** A node to turn into text: a number below 10^nodeDigits(layout, level). */
export interface TextTask {
  readonly limbs: LimbBytes;
  readonly layout: DecimalLayout;
  readonly level: number;
}

/** 10^nodeDigits(layout, level) for the divisions inside tasks, kept by this thread for the layout it works on. */
let powers: { readonly leafDigits: number; readonly ptrs: IntegerPtr[] } = { leafDigits: 0, ptrs: [] };

/** The digits of a node, padded with zeros on the left, by divide and conquer down to the leaves. */
export default asTask(async (task: TextTask): Promise<SharedArrayBuffer> => {
  const gmp = await loadGmp();
  const text = new SharedArrayBuffer(nodeDigits(task.layout, task.level));
  const node = gmp.load(task.limbs);
  writeNode(gmp, task.layout, node, task.level, new Uint8Array(text));
  gmp.release(node);
  return text;
});

function writeNode(gmp: GmpIntegers, layout: DecimalLayout, node: IntegerPtr, level: number, text: Uint8Array): void {
  if (level === 0) {
    gmp.writeDecimal(node, text);
    return;
  }
  const middle = text.length / 2;
  const quotient = gmp.allocate();
  gmp.divide(quotient, node, node, powerOfTen(gmp, layout, level - 1));
  writeNode(gmp, layout, quotient, level - 1, text.subarray(0, middle));
  gmp.release(quotient);
  writeNode(gmp, layout, node, level - 1, text.subarray(middle));
}

function powerOfTen(gmp: GmpIntegers, layout: DecimalLayout, level: number): IntegerPtr {
  if (powers.leafDigits !== layout.leafDigits) {
    gmp.release(...powers.ptrs);
    powers = { leafDigits: layout.leafDigits, ptrs: [] };
  }
  for (let next = powers.ptrs.length; next <= level; next++) {
    const power = gmp.allocate(10);
    gmp.powerInPlace(power, nodeDigits(layout, next));
    powers.ptrs.push(power);
  }
  return powers.ptrs[level]!;
}
