import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type HttpFault, type HttpFaultProxy, startHttpFaultProxy } from '../../backing/test/http-fault-proxy.ts';
import { harm, operationOf } from '../../backing/test/s3-operations.ts';
import { golden } from '../golden.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectFailedCleanly, expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

/** Two parts of 8 MiB, the second one short. */
const n = 2_000_000;
const expected = new Map([[n, golden(n).sha256]]);
const always = Number.POSITIVE_INFINITY;
const answer = (status: number): HttpFault => ({ kind: 'answer', status });

let deployment: Deployment;
let proxy: HttpFaultProxy;
let api: ServiceProcess;
let worker: ServiceProcess;
beforeAll(async () => {
  deployment = await startDeployment();
  proxy = await startHttpFaultProxy(deployment.swift.url);
  const through = { S3_ENDPOINT: proxy.url };
  api = await deployment.startApi(through);
  worker = await deployment.startWorker({ ...through, FAILURES_MAX: '2' });
}, 180_000);
afterAll(async () => {
  await proxy?.close();
  await deployment?.[Symbol.asyncDispose]();
});
afterEach(() => {
  proxy.fault = () => undefined;
});

/** Ask for n afresh. */
async function ask(): Promise<void> {
  await deployment.forget(n);
  expect(await post(api, n)).toBe(202);
}

/** Once S3 is well again, who asks again gets the digits. */
async function expectDoneWhenAskedAgain(): Promise<void> {
  proxy.fault = () => undefined;
  expect(await post(api, n)).toBe(202);
  await expectNothingLost(deployment, api, expected);
}

/** Patience for a busy machine; nothing here is measured. */
const timeout = 300_000;

describe('while the digits go to S3 in parts', { timeout }, () => {
  it.each([
    ['create', 503],
    ['part', 500],
    ['part', 503],
    ['complete', 500],
    ['complete', 503],
  ] as const)('%s is answered %d twice: sent again, and no failure is counted', async (operation, status) => {
    const state = harm(proxy, operation, answer(status), 2);
    await ask();
    await expectNothingLost(deployment, api, expected);
    expect(state.harmed).toBe(2);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 0, attempt: 1 });
  });

  it('a part is corrupted on its way: it is sent again, and no failure is counted', async () => {
    const state = harm(proxy, 'part', { kind: 'corrupt' }, 1, 2);
    await ask();
    await expectNothingLost(deployment, api, expected);
    expect(state.harmed).toBe(1);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 0, attempt: 1 });
  });

  it('the completion fails inside an answer of status 200: it is tried again', async () => {
    const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>';
    const state = harm(proxy, 'complete', { kind: 'answer', status: 200, body });
    await ask();
    await expectNothingLost(deployment, api, expected);
    expect(state.harmed).toBe(1);
  });

  it('no answer to the completion ever arrives: what it did is found out, and one object stands', async () => {
    const state = harm(proxy, 'complete', { kind: 'loseAnswer' }, always);
    await ask();
    await expectNothingLost(deployment, api, expected);
    expect(state.harmed).toBeGreaterThanOrEqual(1);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 0, attempt: 1 });
  });

  it('a bit flips when the result is read back: it is not published, and the next try is', async () => {
    const state = harm(proxy, 'get', { kind: 'corruptAnswer' });
    await ask();
    await expectNothingLost(deployment, api, expected);
    expect(state.harmed).toBe(1);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 1, attempt: 1 });
  });

  it('parts are refused for longer than one try lasts: that try is counted, and a later one succeeds', async () => {
    harm(proxy, 'part', answer(503), always);
    await ask();
    await eventually('a failed try', 60_000, async () =>
      (await deployment.metadata.find(BigInt(n)))?.failures === 1 ? true : undefined,
    );
    proxy.fault = () => undefined;
    await expectNothingLost(deployment, api, expected);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 1, attempt: 1 });
  });
});

describe('when S3 never takes the digits, the request fails with the reason and leaves nothing', { timeout }, () => {
  it.each([
    ['every part is answered 500', 'part', answer(500), 'transient'],
    ['every part is corrupted on its way', 'part', { kind: 'corrupt' }, 'corrupt-object'],
    ['every completion is answered 503', 'complete', answer(503), 'transient'],
  ] as const)('%s', async (_what, operation, fault, code) => {
    const triesBefore = proxy.requests.length;
    harm(proxy, operation, fault, always);
    await ask();
    await settled(deployment.metadata, n);
    proxy.fault = () => undefined;
    await expectFailedCleanly(deployment, n, code);
    // Two tries of the calculation, five of a request, two parts at once, three times each where one arrives corrupted.
    const tries = proxy.requests.slice(triesBefore).filter((request) => operationOf(request) === operation).length;
    expect(tries).toBeLessThanOrEqual(20);
    await expectDoneWhenAskedAgain();
  });

  it('everything is answered 503: readyz says so, a request is kept, and it is done when S3 is back', async () => {
    await ask();
    await expectNothingLost(deployment, api, expected);
    proxy.fault = () => answer(503);
    for (const process of [api, worker]) {
      const seen = await eventually('readiness without S3', 60_000, async () => {
        const readiness = await process.readiness();
        return readiness.checks.objects === false ? readiness : undefined;
      });
      expect(seen.code).toBe(503);
    }
    const refused = await fetch(`${api.url}/factorial/digits?number=${n}`);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      503,
      expect.stringContaining('problem+json'),
    ]);
    await post(api, 300_000);
    proxy.fault = () => undefined;
    await eventually('the API to be ready', 60_000, async () =>
      (await api.readiness()).status === 'ready' ? true : undefined,
    );
    const row = await eventually('the request to be known', 10_000, async () => {
      await post(api, 300_000);
      return await settled(deployment.metadata, 300_000);
    });
    // It may have used up its tries meanwhile; then it says why, and asking again helps.
    if (row.status === 'failed') await post(api, 300_000);
    await expectNothingLost(deployment, api, new Map([...expected, [300_000, golden(300_000).sha256]]));
  });
});
