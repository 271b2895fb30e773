import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CapacityError } from '../contracts/errors.ts';
import { BatchedReads } from './batched-reads.ts';

const bounds = { waitingMax: 100, batchKeysMax: 3, batchReadsMax: 5 };

describe('reads that begin in one turn of the event loop', () => {
  test('are sent together, each key once, and everyone gets the value of their own key', async () => {
    const sent: (readonly string[])[] = [];
    const reads = new BatchedReads(async (keys) => {
      sent.push(keys);
      return keys.map((key) => ({ key }));
    }, bounds);
    const [a, b, again] = await Promise.all([reads.read('a'), reads.read('b'), reads.read('a')]);
    expect([a, b]).toEqual([{ key: 'a' }, { key: 'b' }]);
    expect(again).toBe(a);
    expect(sent).toEqual([['a', 'b']]);
  });

  test('never answer a read that began after they were sent', async () => {
    let value = 1;
    const gate = Promise.withResolvers<void>();
    const reads = new BatchedReads(async (keys) => {
      const seen = value;
      await gate.promise;
      return keys.map(() => seen);
    }, bounds);
    const before = reads.read('a');
    await nextTurn();
    await nextTurn();
    value = 2;
    const after = reads.read('a');
    await nextTurn();
    await nextTurn();
    gate.resolve();
    expect(await Promise.all([before, after])).toEqual([1, 2]);
  });

  test('are split where they are more keys than one command may carry', async () => {
    const sizes: number[] = [];
    const reads = new BatchedReads(async (keys) => {
      sizes.push(keys.length);
      return keys;
    }, bounds);
    const keys = Array.from({ length: 8 }, (_, index) => String(index));
    expect(await Promise.all(keys.map((key) => reads.read(key)))).toEqual(keys);
    expect(sizes).toEqual([3, 3, 2]);
  });

  test('are split where they are more reads than one batch may answer', async () => {
    let batches = 0;
    const reads = new BatchedReads(async (keys) => {
      batches += 1;
      return keys;
    }, bounds);
    await Promise.all(Array.from({ length: 12 }, () => reads.read('a')));
    expect(batches).toBe(3);
  });

  test('share a fault, and those after them do not', async () => {
    let fails = true;
    const reads = new BatchedReads(async (keys) => {
      if (fails) throw new Error('gone');
      return keys;
    }, bounds);
    const both = await Promise.allSettled([reads.read('a'), reads.read('b')]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await reads.read('a')).toBe('a');
  });

  test('keep an error of one key from the others', async () => {
    const reads = new BatchedReads<string>(
      async (keys) => keys.map((key) => (key === 'bad' ? new Error('no text') : key)),
      bounds,
    );
    const good = reads.read('good');
    await expect(reads.read('bad')).rejects.toThrow('no text');
    expect(await good).toBe('good');
  });

  test('are refused beyond their bound, and let in again when others were answered', async () => {
    const gate = Promise.withResolvers<void>();
    const reads = new BatchedReads((keys) => gate.promise.then(() => keys), { ...bounds, waitingMax: 2 });
    const waiting = [reads.read('a'), reads.read('a')];
    await expect(reads.read('b')).rejects.toThrow(CapacityError);
    gate.resolve();
    await Promise.all(waiting);
    expect(await reads.read('b')).toBe('b');
  });
});
