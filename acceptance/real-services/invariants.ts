import { expect } from 'vitest';
import { sweepObjects } from '../../worker/src/sweep/sweep.ts';
import { type Deployment, servedDigits, settled } from './deployment.ts';
import type { ServiceProcess } from './service-process.ts';

/** What must hold for n after whatever was injected: the SHA-256 of its digits. */
export type Expected = ReadonlyMap<number, string>;

/**
 * After each fault: every accepted request is `done` with verified digits, served as published; one object is visible for each n, and what
 * crashes left behind is what a sweep removes; nothing was dead-lettered; the API is ready.
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
  expect((await api.readiness()).status).toBe('ready');
}

async function expectOneObjectEach({ metadata, objects }: Deployment, numbers: readonly number[]): Promise<void> {
  // Nothing runs any more: whatever a sweep may remove at any age, it may remove now.
  await sweepObjects(
    { metadata, objects } as Parameters<typeof sweepObjects>[0],
    { unfinishedMaxAgeMs: -60_000 } as Parameters<typeof sweepObjects>[1],
  );
  const stored: string[] = [];
  for await (const { key } of objects.list()) stored.push(key);
  for (const n of numbers) {
    const row = await metadata.find(BigInt(n));
    expect(stored.filter((key) => key.startsWith(`factorials/${n}/`))).toEqual([row?.objectKey]);
  }
  expect(await objects.sweepUnfinished(-60_000)).toBe(0);
}
