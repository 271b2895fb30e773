// Carries between blocks of limbs that were combined apart, each with carry-in 0. A block leaves a record of 32 bytes:
//
//   0 its carry out, three limbs | 12 its three lowest limbs | 24 1 when all limbs above those are B − 1, else 0 | 28 unused
//
// A carry-in (three limbs) sends one more out exactly when it overflows the three lowest limbs and all others are B − 1. So the carry into a block
// depends on the block below alone, unless that one's upper limbs are all B − 1: then one looks further back. Every block can be done by itself.
// Source: carry look-ahead (Ofman 1962) with decoupled look-back (Merrill and Garland 2016).

const RADIX: u32 = 1000000000;
const RECORD_BYTES: usize = 32;
const LOWEST: usize = 12;
const ALL_NINES: usize = 24;

/** Completes the record of a block whose carry out stands in it already. Restrictions: count ≥ 3. */
export function recordBlock(limbsPtr: usize, count: usize, recordPtr: usize): void {
  store<u32>(recordPtr, load<u32>(limbsPtr), LOWEST);
  store<u32>(recordPtr, load<u32>(limbsPtr, 4), LOWEST + 4);
  store<u32>(recordPtr, load<u32>(limbsPtr, 8), LOWEST + 8);
  let at = limbsPtr + 12;
  const end = limbsPtr + (count << 2);
  while (at < end && load<u32>(at) == RADIX - 1) at += 4;
  store<u32>(recordPtr, u32(at == end), ALL_NINES);
}

/** Whether a carry out of three limbs and `more` overflow a block's three lowest limbs. */
function overflows(carryPtr: usize, recordPtr: usize, more: u32): u32 {
  for (let i: usize = 0; i < 12; i += 4) {
    more = u32(load<u32>(carryPtr + i) + load<u32>(recordPtr + i, LOWEST) + more >= RADIX);
  }
  return more;
}

/**
 * Adds to block `index`, `count` limbs at limbsPtr, what the blocks below carry into it; returns what goes out beyond the carry of its record: 0 or 1.
 * Reads records and this block's limbs only, so that all blocks may be done at the same time. Restrictions: all records complete; count ≥ 3.
 */
export function addCarryIn(recordsPtr: usize, index: usize, limbsPtr: usize, count: usize): u32 {
  if (!index) return 0;
  let below = index - 1;
  while (below && load<u32>(recordsPtr + below * RECORD_BYTES, ALL_NINES)) --below;
  let carry: u32 = 0;
  let carryPtr = recordsPtr + below * RECORD_BYTES;
  for (++below; below < index; ++below) {
    carry = overflows(carryPtr, carryPtr + RECORD_BYTES, carry);
    carryPtr += RECORD_BYTES;
  }
  for (let i: usize = 0; i < 12; i += 4) {
    const x = load<u32>(limbsPtr + i) + load<u32>(carryPtr + i) + carry;
    carry = u32(x >= RADIX);
    store<u32>(limbsPtr + i, carry ? x - RADIX : x);
  }
  const end = limbsPtr + (count << 2);
  for (let at = limbsPtr + 12; carry && at < end; at += 4) {
    const x = load<u32>(at) + 1;
    carry = u32(x == RADIX);
    store<u32>(at, carry ? 0 : x);
  }
  return carry;
}
