import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  computeFactorial,
  defaultBudget,
  InputError,
  planFactorial,
  SourceError,
  type StoredFactorial,
} from '../../src/index.ts';
import { sourceOf } from './memory-run.ts';

const n = 3_000_000;
const m = 2_800_000;
const budget = defaultBudget({ memoryBytes: 2 ** 30, threads: 2, engine: 'decimal' });
let stored: Buffer;

async function digitsOf(number: number, from?: StoredFactorial): Promise<Buffer> {
  await using result = await computeFactorial(number, { budget, ...(from === undefined ? {} : { from }) });
  expect(result.plan.from?.used).toBe(from === undefined ? undefined : true);
  const parts: Uint8Array[] = [];
  for await (const chunk of result.digits()) parts.push(chunk);
  return Buffer.concat(parts);
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const offer = (text: Uint8Array, more: Partial<StoredFactorial> = {}): StoredFactorial => ({
  n: m,
  ...sourceOf(text),
  ...more,
});

beforeAll(async () => {
  stored = await digitsOf(m);
});

describe('the plan', () => {
  test('starts from m! near n, and says so, with both estimates', () => {
    const plan = planFactorial(n, budget, { from: { n: m } });
    expect(plan.from).toMatchObject({ n: String(m), used: true });
    expect(plan.from!.secondsFrom).toBeLessThan(plan.from!.secondsAfresh!);
    expect(plan.estimatedSeconds).toBe(plan.from!.secondsFrom);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test.each([
    ['m is far below n', { n: 100_000 }, n],
    ['m! is 1', { n: 0 }, n],
    ['n is computed at once', { n: 4000 }, 4001],
    ['the digits come slower than they are computed', { n: m, bytesPerSecond: 1e6 }, n],
  ])('computes afresh when %s', (_, from, number) => {
    const plan = planFactorial(number, budget, { from });
    expect(plan.from).toMatchObject({ used: false, n: String(from.n) });
    expect(plan.from!.reason).not.toBe('');
    const { from: _from, ...rest } = plan;
    expect(rest).toEqual(planFactorial(number, budget));
  });

  test('computes afresh on an engine that cannot start from anything, and gives the reason', () => {
    const plan = planFactorial(n, { ...budget, engine: 'gmp' }, { from: { n: m } });
    expect(plan.from).toMatchObject({ used: false, secondsFrom: null, reason: expect.stringContaining('gmp') });
  });

  test('starts from m! out of core, too, where memory does not hold n!', () => {
    const small = defaultBudget({ memoryBytes: 2 ** 28, scratchDir: '/tmp', scratchBytes: 2 ** 40, threads: 2 });
    const plan = planFactorial(100_000_000, small, { from: { n: 99_000_000 } });
    expect(plan).toMatchObject({ storage: 'scratch', from: { used: true } });
  });

  test('refuses an m above n, one that is no number, and a rate that is none', () => {
    expect(() => planFactorial(n, budget, { from: { n: n + 1 } })).toThrow(InputError);
    expect(() => planFactorial(n, budget, { from: { n: -1 } })).toThrow(InputError);
    expect(() => planFactorial(n, budget, { from: { n: m, bytesPerSecond: 0 } })).toThrow(InputError);
  });
});

describe('a run from stored digits', () => {
  test('gives the digits that one afresh gives, from m! and from n! itself', async () => {
    const afresh = await digitsOf(n);
    expect(hash(await digitsOf(n, offer(stored, { sha256: hash(stored) })))).toBe(hash(afresh));
    expect(hash(await digitsOf(n, { n, ...sourceOf(afresh) }))).toBe(hash(afresh));
  });

  const flipped = (at: number) => {
    const text = Buffer.from(stored);
    text[at] = text[at] === 49 ? 50 : 49;
    return text;
  };
  const withByte = (at: number, byte: number) => {
    const text = Buffer.from(stored);
    text[at] = byte;
    return text;
  };
  test.each<[string, () => StoredFactorial, RegExp]>([
    ['a wrong first digit', () => offer(flipped(0)), /expected residues \d+ and \d+, got/],
    ['a wrong digit in the middle', () => offer(flipped(stored.length >> 1)), /expected residues/],
    ['a letter', () => offer(withByte(1000, 65)), /ASCII digits/],
    ['a digit short', () => offer(stored.subarray(0, -1)), /expected digits \d+, got \d+/],
    ['a newline more', () => offer(Buffer.concat([stored, Buffer.from('\n')])), /expected digits \d+, got/],
    ['no digits', () => offer(Buffer.alloc(0)), /expected digits \d+, got 0/],
    ['a zero less at the end', () => offer(withByte(stored.length - 1, 55)), /expected trailing zeros 69\d+, got 0/],
    ['the digits of another number', () => offer(stored, { n: m + 1 }), /digits/],
    ['another SHA-256', () => offer(stored, { sha256: '0'.repeat(64) }), /expected SHA-256 0000/],
  ])('is refused for %s, naming what was expected and got', async (_, from, message) => {
    const failure = await computeFactorial(n, { budget, from: from() }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SourceError);
    expect(failure).toMatchObject({ code: 'source-wrong', message: expect.stringMatching(message) });
  });

  test('says that a source cannot be read, and why', async () => {
    const digits = async function* () {
      yield stored.subarray(0, 1000);
      throw new Error('the disk is gone');
    };
    const failure = await computeFactorial(n, { budget, from: { n: m, digits } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SourceError);
    expect(failure).toMatchObject({ code: 'source-unreadable', message: expect.stringContaining('the disk is gone') });
  });

  test('refuses a SHA-256 that is none before it starts', async () => {
    const from = offer(stored, { sha256: 'abc' });
    await expect(computeFactorial(n, { budget, from })).rejects.toBeInstanceOf(InputError);
  });

  test('ends at once when it is cancelled while its source is silent, and tells the source', async () => {
    let told = false;
    const digits = (): AsyncIterable<Uint8Array> => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          told = true;
          return { done: true, value: undefined };
        },
      }),
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const run = computeFactorial(n, { budget, from: { n: m, digits }, signal: controller.signal });
    run.catch(() => undefined);
    await sleep(300);
    const started = performance.now();
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(500);
    expect(told).toBe(true);
  });
});
