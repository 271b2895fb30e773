// The tasks of a product by residues (src/multiply/residue.ts), each in one call: loops over chunks of columns and over the primes, with the kernels inside.
// A call from the host costs as much as tens of columns, and what is called often is compiled there as well.
//
// productPtr, written by the host once for a product:
//
//   0 constants of the first prime | 4 bytes from one prime's constants to the next | 8 constants of combine.ts
//   12 residues of the first operand | 16 bytes from one prime's residues to the next | 20 columns | 24 blocks (1 or 4) | 28 levels | 32 leaf length
//   36 columns of a range in each block | 40 ranges | 44 coefficients of the product | 48 scratch of leaves | 52 a chunk's residues | 56 carry states
//   60 records of carries | 64 limbs of the product | 68 columns of a chunk
//
// A block is a quarter of the columns when the top level goes with the lanes, else all of them. Stream = piece + 4·block is one run of consecutive
// coefficients, with a carry state of its own; a range of a stream leaves one record.

import { addCarryIn, recordBlock } from './carry';
import { combineResidues, flushCarry } from './combine';
import { forwardLevel, forwardNtt } from './forward';
import { inverseLevel, inverseNtt } from './inverse';
import { mergeLanes, splitLanes } from './lanes';
import { multiplyPointwise } from './pointwise';

const CONTEXT: usize = 0;
const CONTEXT_STRIDE: usize = 4;
const CRT: usize = 8;
const RESIDUES: usize = 12;
const PRIME_STRIDE: usize = 16;
const COLUMNS: usize = 20;
const BLOCKS: usize = 24;
const LEVELS: usize = 28;
const LEAF_LENGTH: usize = 32;
const RANGE_COLUMNS: usize = 36;
const RANGE_COUNT: usize = 40;
const COEFFICIENTS: usize = 44;
const LEAF_SCRATCH: usize = 48;
const CHUNK: usize = 52;
const STATES: usize = 56;
const RECORDS: usize = 60;
const OUT: usize = 64;
const CHUNK_COLUMNS: usize = 68;

const PRIME_COUNT: usize = 5;
const STATE_BYTES: usize = 64;
const RECORD_BYTES: usize = 32;

// @ts-ignore: decorator
@inline
function field(productPtr: usize, offset: usize): usize {
  return <usize>load<u32>(productPtr + offset);
}

function contextOf(productPtr: usize, prime: usize): usize {
  return field(productPtr, CONTEXT) + prime * field(productPtr, CONTEXT_STRIDE);
}

/** Where a range ends, in columns of a block. */
function rangeEnd(productPtr: usize, range: usize): usize {
  return min((range + 1) * field(productPtr, RANGE_COLUMNS), field(productPtr, COLUMNS) / field(productPtr, BLOCKS));
}

/** First coefficient of a stream. */
function streamStart(productPtr: usize, stream: usize): usize {
  const columns = field(productPtr, COLUMNS);
  return (stream & 3) * columns + (stream >> 2) * (columns / field(productPtr, BLOCKS));
}

/** Position of a record among all of the product, lowest limbs first. */
function recordIndex(productPtr: usize, stream: usize, range: usize): usize {
  return ((stream & 3) * field(productPtr, BLOCKS) + (stream >> 2)) * field(productPtr, RANGE_COUNT) + range;
}

/** Lanes and top level of one range of columns of every block, modulo one prime. Restrictions: as splitLanes. */
export function splitRange(productPtr: usize, prime: usize, range: usize, limbsPtr: usize, limbCount: usize, lanesPtr: usize): void {
  const context = contextOf(productPtr, prime);
  const columns = field(productPtr, COLUMNS);
  const blocks = field(productPtr, BLOCKS);
  const chunk = field(productPtr, CHUNK_COLUMNS);
  const coefficients = ((limbCount + 7) >> 3) << 2;
  // Below `edge` one piece more of the operand is not zero.
  const fewer = coefficients / columns;
  const edge = coefficients - fewer * columns;
  const end = rangeEnd(productPtr, range);
  for (let from = range * field(productPtr, RANGE_COLUMNS); from < end; from += chunk) {
    const to = min(end, from + chunk);
    for (let base: usize = 0; base < columns; base += columns / blocks) {
      const cut = max(base + from, min(base + to, edge));
      if (cut > base + from) splitLanes(context, limbsPtr, lanesPtr, columns, base + from, cut, <u32>fewer + 1);
      if (base + to > cut) splitLanes(context, limbsPtr, lanesPtr, columns, cut, base + to, <u32>fewer);
    }
    if (blocks > 1) forwardLevel(context, lanesPtr, columns << 4, 0, 0, from << 4, to << 4);
  }
}

/** The forward transform of one block below the top level, modulo one prime. */
export function forwardBlock(productPtr: usize, prime: usize, block: usize, lanesPtr: usize): void {
  const blocks = field(productPtr, BLOCKS);
  const depth: u32 = blocks > 1 ? 2 : 0;
  const bytes = (field(productPtr, COLUMNS) << 4) / blocks;
  forwardNtt(contextOf(productPtr, prime), lanesPtr + block * bytes, bytes, depth, block, <u32>field(productPtr, LEVELS) - depth);
}

/** Forward, pointwise with b's transform (or with itself where bPtr = aPtr), inverse: one block of a, modulo one prime. Pointers are to a prime's lanes. */
export function multiplyBlock(productPtr: usize, prime: usize, block: usize, aPtr: usize, bPtr: usize): void {
  const blocks = field(productPtr, BLOCKS);
  const depth: u32 = blocks > 1 ? 2 : 0;
  const levels = <u32>field(productPtr, LEVELS) - depth;
  const bytes = (field(productPtr, COLUMNS) << 4) / blocks;
  const context = contextOf(productPtr, prime);
  const at = block * bytes;
  forwardNtt(context, aPtr + at, bytes, depth, block, levels);
  const leafLength = field(productPtr, LEAF_LENGTH);
  multiplyPointwise(context, aPtr + at, bPtr + at, leafLength, depth, block, levels, field(productPtr, LEAF_SCRATCH));
  inverseNtt(context, aPtr + at, bytes, depth, block, levels);
}

/** Residues of one chunk of every stream, from the lanes of all primes. */
function mergeChunk(productPtr: usize, from: usize, to: usize): void {
  const columns = field(productPtr, COLUMNS);
  const blocks = field(productPtr, BLOCKS);
  const levels = <u32>field(productPtr, LEVELS);
  const chunkBytes = field(productPtr, CHUNK_COLUMNS) << 2;
  let lanesPtr = field(productPtr, RESIDUES);
  for (let prime: usize = 0; prime < PRIME_COUNT; ++prime) {
    const context = contextOf(productPtr, prime);
    if (blocks > 1) inverseLevel(context, lanesPtr, columns << 4, 0, 0, from << 4, to << 4);
    let outPtr = field(productPtr, CHUNK) + prime * chunkBytes;
    for (let base: usize = 0; base < columns; base += columns / blocks) {
      mergeLanes(context, lanesPtr, base + from, base + to, levels, outPtr, PRIME_COUNT * chunkBytes);
      outPtr += 4 * PRIME_COUNT * chunkBytes;
    }
    lanesPtr += field(productPtr, PRIME_STRIDE);
  }
}

/** Top level, lanes, residues to limbs for one range of columns of every block; leaves a record per stream. */
export function combineRange(productPtr: usize, range: usize): void {
  const streams = field(productPtr, BLOCKS) << 2;
  const coefficients = field(productPtr, COEFFICIENTS);
  const chunk = field(productPtr, CHUNK_COLUMNS);
  const states = field(productPtr, STATES);
  const outPtr = field(productPtr, OUT);
  memory.fill(states, 0, streams * STATE_BYTES);
  const start = range * field(productPtr, RANGE_COLUMNS);
  const end = rangeEnd(productPtr, range);
  for (let from = start; from < end; from += chunk) {
    const to = min(end, from + chunk);
    mergeChunk(productPtr, from, to);
    let residues = field(productPtr, CHUNK);
    for (let stream: usize = 0; stream < streams; ++stream) {
      const first = streamStart(productPtr, stream) + from;
      const last = min(first - from + to, coefficients);
      const state = states + stream * STATE_BYTES;
      if (last > first) combineResidues(field(productPtr, CRT), residues, chunk << 2, last - first, outPtr + (first << 3), state);
      residues += PRIME_COUNT * (chunk << 2);
    }
  }
  for (let stream: usize = 0; stream < streams; ++stream) {
    const first = streamStart(productPtr, stream);
    const last = min(first + end, coefficients);
    if (last <= first + start) continue;
    const record = field(productPtr, RECORDS) + recordIndex(productPtr, stream, range) * RECORD_BYTES;
    flushCarry(states + stream * STATE_BYTES, record);
    recordBlock(outPtr + ((first + start) << 3), (last - first - start) << 1, record);
  }
}

/**
 * Adds what is carried into one range of every stream (carry.ts), when all ranges are combined. Returns what leaves the product at its end: 0, unless
 * something is wrong.
 */
export function addCarriesRange(productPtr: usize, range: usize): u32 {
  const streams = field(productPtr, BLOCKS) << 2;
  const coefficients = field(productPtr, COEFFICIENTS);
  const records = field(productPtr, RECORDS);
  const start = range * field(productPtr, RANGE_COLUMNS);
  const end = rangeEnd(productPtr, range);
  let lost: u32 = 0;
  for (let stream: usize = 0; stream < streams; ++stream) {
    const first = streamStart(productPtr, stream) + start;
    const last = min(first - start + end, coefficients);
    if (last <= first) continue;
    const index = recordIndex(productPtr, stream, range);
    const more = addCarryIn(records, index, field(productPtr, OUT) + (first << 3), (last - first) << 1);
    if (last < coefficients) continue;
    const record = records + index * RECORD_BYTES;
    lost = more + load<u32>(record) + load<u32>(record, 4) + load<u32>(record, 8);
  }
  return lost;
}
