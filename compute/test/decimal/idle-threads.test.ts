import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { startFactorial } from '../../src/compute-factorial.ts';
import { multiplyInline } from '../../src/engine/decimal/inline.ts';
import { type ComputeOptions, computeFactorial, defaultBudget, InputError } from '../../src/index.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { keepThreads, takeThreads } from '../../src/pool/idle-threads.ts';
import { keptMemoryBytes } from '../../src/pool/task-pool.ts';
import { threadIds } from '../worker-threads.ts';
import { seededRandom } from './random.ts';

const idleThreadsMs = 60_000;
/** No n is computed on the calling thread. */
const budget = defaultBudget({ threads: 2, engine: 'decimal', blockingSeconds: 0 });

async function compute(n: number, options: Partial<ComputeOptions> = {}): Promise<string> {
  await using result = await computeFactorial(n, { budget, idleThreadsMs, ...options });
  for await (const chunk of result.digits()) chunk.fill(0);
  return await result.sha256;
}

/** The digest of n! from the calling thread. */
function digestAlone(n: number): string {
  const { digitCount, trailingZeros } = factorialFacts(BigInt(n));
  const { text } = multiplyInline(n, Number(digitCount - trailingZeros));
  return createHash('sha256')
    .update(text)
    .update('0'.repeat(Number(trailingZeros)))
    .digest('hex');
}

/** Ends the threads that wait: nobody wants so many. */
afterEach(async () => {
  await takeThreads(9, true).end();
  await expect.poll(threadIds).toEqual([]);
});

describe('the threads of a run that is over', () => {
  test('wait for the next run, which gets right digits in the memory they have, whatever its n', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    await compute(200_000);
    const threads = threadIds();
    expect(threads.length).toBe(2);
    for (let round = 0; round < 12; round++) {
      const n = Math.floor(random() ** 3 * 600_000);
      expect(await compute(n), `seed ${seed}, round ${round}, ${n}!`).toBe(digestAlone(n));
    }
    expect(threadIds()).toEqual(threads);
  });

  test('end when their time is over, and at once with a time of 0', async () => {
    await compute(50_000, { idleThreadsMs: 50 });
    expect(threadIds().length).toBe(2);
    await expect.poll(threadIds).toEqual([]);
    await compute(50_000, { idleThreadsMs: 0 });
    expect(threadIds()).toEqual([]);
  });

  test('end when another run wants more or fewer, or more memory than is kept', async () => {
    await compute(50_000);
    const two = threadIds();
    await compute(50_000, { budget: { ...budget, threads: 1 } });
    await expect.poll(threadIds).not.toEqual(expect.arrayContaining(two));
    expect(threadIds().length).toBe(1);
    const one = threadIds();
    const large = await computeFactorial(2_500_000, { budget: { ...budget, threads: 1 }, idleThreadsMs });
    expect(threadIds()).not.toEqual(one);
    await large[Symbol.asyncDispose]();
    await expect.poll(threadIds).toEqual([]);
  });

  test('end when a run comes whose threads have memories of their own, which do not wait afterwards', async () => {
    await compute(50_000, { budget: { ...budget, threads: 1 } });
    const waiting = threadIds();
    const result = await computeFactorial(60_000, { budget: { ...budget, engine: 'gmp', threads: 1 }, idleThreadsMs });
    expect(result.threads).toBe(1);
    await expect.poll(threadIds).not.toEqual(expect.arrayContaining(waiting));
    await result[Symbol.asyncDispose]();
    expect(threadIds()).toEqual([]);
  });

  test('are those of one run, when several end', async () => {
    const digests = await Promise.all([70_000, 80_000, 90_000].map((n) => compute(n)));
    expect(digests).toEqual([70_000, 80_000, 90_000].map(digestAlone));
    await expect.poll(() => threadIds().length).toBe(2);
  });

  test('also wait after a result that nobody read, and another run may have their memory then', async () => {
    const unread = await computeFactorial(150_000, { budget, idleThreadsMs });
    const threads = threadIds();
    await unread[Symbol.asyncDispose]();
    expect(await compute(100_000)).toBe(digestAlone(100_000));
    expect(threadIds()).toEqual(threads);
    await expect(unread.digits()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('end when it was aborted in the middle of a task, and a run after it is right', async () => {
    await compute(300_000);
    for (let round = 0; round < 5; round++) {
      const controller = new AbortController();
      const reason = new Error('enough');
      setTimeout(() => controller.abort(reason), 3 * round);
      await expect(compute(1_000_000, { signal: controller.signal })).rejects.toBe(reason);
      expect(threadIds()).toEqual([]);
      expect(await compute(60_000)).toBe(digestAlone(60_000));
    }
  });

  test('end when it was aborted between two chunks, or left with texts under way, and a run after it is right', async () => {
    for (const leave of ['abort', 'break'] as const) {
      const controller = new AbortController();
      const result = await computeFactorial(1_200_000, {
        budget,
        idleThreadsMs,
        signal: controller.signal,
        maxChunkBytes: 1_000,
      });
      const iterator = result.digits()[Symbol.asyncIterator]();
      await iterator.next();
      if (leave === 'break') await iterator.return?.();
      else controller.abort(new Error('enough'));
      expect(await compute(60_000)).toBe(digestAlone(60_000));
      if (leave === 'abort') await expect(iterator.next()).rejects.toThrow('enough');
    }
  });

  test('may write where a chunk was read from, which is then not handed out', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const corruptChunk = () => controller.abort(reason);
    const options = { budget, idleThreadsMs, signal: controller.signal };
    const result = await startFactorial(100_000, options, { corruptChunk });
    await expect(result.digits()[Symbol.asyncIterator]().next()).rejects.toBe(reason);
  });

  test('do not hold a process back from ending', () => {
    const script = `
      import { computeFactorial, defaultBudget } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const budget = defaultBudget({ threads: 2, blockingSeconds: 0 });
      let threads = 0;
      process.on('worker', (worker) => {
        threads += 1;
        worker.once('exit', () => (threads -= 1));
      });
      const result = await computeFactorial(50_000, { budget, idleThreadsMs: 600_000 });
      for await (const chunk of result.digits()) chunk.fill(0);
      console.log(threads);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(child).toMatchObject({ status: 0, stdout: '2\n', stderr: '' });
  });
});

test('a thread that ends while it waits is replaced; one that fails takes the others with it', async () => {
  await compute(50_000);
  const set = takeThreads(2, true);
  expect(set.isWarm).toBe(true);
  await keepThreads(set, idleThreadsMs);
  await set.piscina.threads[0]!.terminate();
  expect(await compute(60_000)).toBe(digestAlone(60_000));
  expect(threadIds().length).toBe(2);
  set.piscina.emit('error', new Error('out of memory'));
  await expect.poll(threadIds).toEqual([]);
  expect(await compute(60_000)).toBe(digestAlone(60_000));
});

test('threads whose memory does not do get another, and are not kept with it', async () => {
  const set = takeThreads(1, true);
  const { memory } = set.kernels(1_000);
  expect(set.isKeepable).toBe(true);
  expect(set.kernels(keptMemoryBytes).memory).toBe(memory);
  expect(set.kernels(keptMemoryBytes + 1).memory).not.toBe(memory);
  expect(set.isKeepable).toBe(false);
  await set.end();
});

test('a time that is none is refused', async () => {
  for (const wrong of [-1, 1.5, Number.NaN, 3_600_001, '5' as unknown as number]) {
    await expect(computeFactorial(30_000, { idleThreadsMs: wrong })).rejects.toBeInstanceOf(InputError);
  }
});
