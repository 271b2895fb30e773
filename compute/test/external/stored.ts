import { randomUUID } from 'node:crypto';
import { ExternalThreads } from '../../src/engine/decimal/external/external-threads.ts';
import type { StoredNumber } from '../../src/engine/decimal/external/stored-number.ts';
import { paddedLimbs } from '../../src/limbs/decimal-number.ts';
import type { LimbStore } from '../../src/limbs/limb-store.ts';
import { openBlob } from '../../src/limbs/stored-blob.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { verificationModuli } from '../../src/verify/moduli.ts';
import { compileKernels } from '../../src/wasm/bridge.ts';

/** Limbs, least significant first, as a stored number. */
export async function storeLimbs(store: LimbStore, limbs: readonly number[]): Promise<StoredNumber> {
  const blob = await store.create('operand', 4 * paddedLimbs(limbs.length));
  await using opened = await openBlob(blob);
  await opened.write(0, new Uint8Array(Uint32Array.from(limbs).buffer));
  const value = limbsToBigInt(limbs);
  return {
    blob,
    offsetBytes: 0,
    limbCount: limbs.length,
    residues: [value % verificationModuli[0]!, value % verificationModuli[1]!],
  };
}

export async function loadBigInt(number: StoredNumber): Promise<bigint> {
  await using opened = await openBlob(number.blob);
  const limbs = new Uint32Array(number.limbCount);
  await opened.read(number.offsetBytes, new Uint8Array(limbs.buffer));
  return limbsToBigInt(limbs);
}

export function limbsToBigInt(limbs: ArrayLike<number>): bigint {
  let text = '';
  for (let index = limbs.length - 1; index >= 0; index--) text += String(limbs[index]).padStart(9, '0');
  return BigInt(text === '' ? '0' : text);
}

/** Threads over a pool with kernels that assert every range. */
export function debugThreads(pool: TaskPool, count: number, regionBytes: number): ExternalThreads {
  const { signal } = new AbortController();
  return new ExternalThreads(pool, signal, count, regionBytes, randomUUID(), compileKernels(true));
}
