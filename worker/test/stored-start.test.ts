import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Delivery } from '@factorial/backing';
import { defaultBudget, SharedBudget } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handleRequest } from '../src/consumer/handle-request.ts';
import { RunRegistry } from '../src/consumer/run-registry.ts';
import type { WorkerOptions } from '../src/options.ts';
import { openTestServices, type TestServices, testOptions, withFault } from './services.ts';

const golden = JSON.parse(
  await readFile(fileURLToPath(new URL('../../compute/test/golden/factorials.json', import.meta.url)), 'utf8'),
) as { factorials: Record<string, { sha256: string }> };
const n = 2_000_000n;
const m = 1_950_000n;
const checksum = golden.factorials[`${n}`]?.sha256;
const budget = defaultBudget({ threads: 2, memoryBytes: 2 ** 30, engine: 'decimal' });
const budgets = { 'small.quick': budget, 'small.long': budget, large: budget };
const never = new AbortController().signal;

let services: TestServices;
let sharedBudget: SharedBudget;
let lines: { readonly message: string; readonly [field: string]: unknown }[];
beforeEach(async () => {
  services = await openTestServices();
  sharedBudget = new SharedBudget({ memoryBytes: 2 ** 30, scratchBytes: 0 });
  lines = [];
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const note = (fields: object, message: string): void => void lines.push({ ...fields, message });
const messages = () => lines.map(({ message }) => message);

async function calculate(number: bigint, stores: Partial<TestServices> = {}, changes: Partial<WorkerOptions> = {}) {
  await services.ask(number);
  lines = [];
  const delivery: Delivery = {
    body: { version: 1, number: `${number}`, attempt: 1 },
    lane: 'small.long',
    deliveryCount: 1,
  };
  const options = testOptions({ budgets, ...changes });
  const settlement = await handleRequest(delivery, {
    services: { ...services, ...stores, sharedBudget },
    options,
    log: { info: note, warn: note, error: note },
    runs: new RunRegistry(options.concurrency),
    drain: never,
    stop: never,
  });
  expect(settlement).toEqual({ kind: 'ack' });
  expect(sharedBudget.taken).toEqual({ memoryBytes: 0, scratchBytes: 0 });
  return await services.metadata.find(number);
}

describe('a calculation near a stored one', () => {
  it('starts from it, and its digits are the published ones', async () => {
    const stored = await calculate(m);
    expect(messages()).not.toContain('starting from a stored result');
    expect(await calculate(n)).toMatchObject({ status: 'done', checksum });
    const start = lines.find(({ message }) => message === 'starting from a stored result');
    expect(start).toMatchObject({
      number: n,
      from: stored?.n,
      reason: expect.stringMatching(/from 1950000! about .* afresh/),
    });
  });

  it('computes afresh, and says so, when the stored digits are damaged', async () => {
    const stored = await calculate(m);
    const objects = withFault(services.objects, {
      read: async (key, range, signal) => {
        const chunks = await services.objects.read(key, range, signal);
        if (key !== stored?.objectKey) return chunks;
        return (async function* () {
          for await (const chunk of chunks) {
            const damaged = Uint8Array.from(chunk);
            damaged[chunk.length >> 1] = damaged[chunk.length >> 1] === 55 ? 56 : 55;
            yield damaged;
          }
        })();
      },
    });
    expect(await calculate(n, { objects })).toMatchObject({ status: 'done', checksum, failures: 0 });
    const warning = lines.find(({ message }) => message === 'stored result not usable, computing afresh');
    expect(warning).toMatchObject({
      from: m,
      key: stored?.objectKey,
      reason: expect.stringMatching(/not those of 1950000!/),
    });
  });

  it('computes afresh, and says so, when the stored digits are gone', async () => {
    const stored = await calculate(m);
    await services.objects.remove(stored?.objectKey ?? '');
    expect(await calculate(n)).toMatchObject({ status: 'done', checksum, failures: 0 });
    expect(messages()).toContain('stored result not usable, computing afresh');
  });

  it('does not start from it when reading it would take longer than computing', async () => {
    await calculate(m);
    expect(await calculate(n, {}, { storedBytesPerSecond: 1e6 })).toMatchObject({ status: 'done', checksum });
    expect(messages()).not.toContain('starting from a stored result');
  });
});
