import { connect } from 'amqplib';
import { expect } from 'vitest';
import { sweepObjects } from '../../worker/src/sweep/sweep.ts';
import { type Deployment, eventually, servedDigits, settled } from './deployment.ts';
import type { ServiceProcess } from './service-process.ts';

/** What must hold for n after whatever was injected: the SHA-256 of its digits. */
export type Expected = ReadonlyMap<number, string>;

/** Warnings and errors that one process may log between two looks: an outage is told, not repeated for ever. */
const complaintsMax = 200;

/**
 * After each fault: every accepted request is `done` with verified digits, served as published; one object is visible for each n, and what
 * crashes left behind is what a sweep removes; no message waits and none was dead-lettered; no log grew without bound; the API is ready, at
 * the latest when its connections have waited for their next attempt.
 */
export async function expectNothingLost(
  deployment: Deployment,
  api: ServiceProcess,
  expected: Expected,
  limitMs = 120_000,
): Promise<void> {
  for (const [n, sha256] of expected) {
    const row = await settled(deployment.metadata, n, limitMs);
    expect(row, `${n}!`).toMatchObject({ error: null, status: 'done', checksum: sha256, leaseOwner: null });
    expect(await servedDigits(api, n), `${n}!`).toEqual({ sha256, length: Number(row.size) });
  }
  await expectOneObjectEach(deployment, [...expected.keys()]);
  await expectEmptyQueues(deployment);
  expectFewComplaints(deployment);
  await expectReady(api, limitMs);
}

/** n ended as `failed`, says why, holds no lease and left nothing in the store. */
export async function expectFailedCleanly(
  deployment: Deployment,
  n: number,
  code: string,
  limitMs = 120_000,
): Promise<void> {
  const row = await settled(deployment.metadata, n, limitMs);
  expect(row, `${n}!`).toMatchObject({ status: 'failed', leaseOwner: null, error: { code } });
  expect(row.error?.message.length).toBeGreaterThan(10);
  // The row is settled first, then what was written is removed; what could not be, a sweep removes.
  await sweepNow(deployment);
  for await (const { key } of deployment.objects.list()) expect(key).not.toContain(`factorials/${n}/`);
  expect(await deployment.openUploads()).toBe(0);
}

/** Nothing runs any more: whatever a sweep may remove at any age, it may remove now. */
async function sweepNow({ metadata, objects }: Deployment): Promise<void> {
  await sweepObjects(
    { metadata, objects } as Parameters<typeof sweepObjects>[0],
    { unfinishedMaxAgeMs: -60_000 } as Parameters<typeof sweepObjects>[1],
  );
}

async function expectEmptyQueues({ rabbitmq }: Deployment): Promise<void> {
  const connection = await connect(rabbitmq.url);
  try {
    const channel = await connection.createChannel();
    for (const lane of ['small.quick', 'small.long', 'large']) {
      // Copies that a sweep published are taken and forgotten.
      await eventually(`no message in ${lane}`, 20_000, async () =>
        (await channel.checkQueue(`factorial.request.${lane}`)).messageCount === 0 ? true : undefined,
      );
    }
    expect((await channel.checkQueue('factorial.dead')).messageCount, 'dead letters').toBe(0);
  } finally {
    await connection.close();
  }
}

const complaintsSeen = new WeakMap<ServiceProcess, number>();

function expectFewComplaints({ processes }: Deployment): void {
  for (const process of processes) {
    const complaints = process.lines.filter((line) => /^\{"level":[456]0/.test(line)).length;
    expect(complaints - (complaintsSeen.get(process) ?? 0), 'warnings and errors').toBeLessThan(complaintsMax);
    complaintsSeen.set(process, complaints);
  }
}

async function expectOneObjectEach(deployment: Deployment, numbers: readonly number[]): Promise<void> {
  const { metadata, objects } = deployment;
  await sweepNow(deployment);
  const stored: string[] = [];
  for await (const { key } of objects.list()) stored.push(key);
  for (const n of numbers) {
    const row = await metadata.find(BigInt(n));
    expect(stored.filter((key) => key.startsWith(`factorials/${n}/`))).toEqual([row?.objectKey]);
  }
  expect(await deployment.openUploads()).toBe(0);
}

async function expectReady(api: ServiceProcess, limitMs: number): Promise<void> {
  await expect.poll(async () => (await api.readiness()).status, { timeout: limitMs, interval: 200 }).toBe('ready');
}
