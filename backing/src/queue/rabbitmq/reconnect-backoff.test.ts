import { expect, test } from 'vitest';
import { ReconnectBackoff } from './reconnect-backoff.ts';

const times = { initialMs: 100, maxMs: 1_000, stableMs: 5_000 };

test('waits double up to the longest, each in the upper half of its range', () => {
  const backoff = new ReconnectBackoff(times);
  for (const longest of [100, 200, 400, 800, 1_000, 1_000, ...Array(100).fill(1_000)]) {
    const waitMs = backoff.nextMs();
    expect(waitMs).toBeGreaterThanOrEqual(longest / 2);
    expect(waitMs).toBeLessThanOrEqual(longest);
  }
});

test('a connection that held resets the wait, one that fell at once does not', () => {
  let now = 0;
  const backoff = new ReconnectBackoff(times, () => now);
  for (let tries = 0; tries < 5; tries++) backoff.nextMs();
  backoff.connected();
  now += 4_999;
  expect(backoff.nextMs()).toBeGreaterThanOrEqual(500);
  backoff.connected();
  now += 5_000;
  expect(backoff.nextMs()).toBeLessThanOrEqual(100);
  // Without a connection in between the time that passed resets nothing.
  now += 60_000;
  expect(backoff.nextMs()).toBeGreaterThan(100 - 1);
});

test('many clients do not return at one moment', () => {
  const waits = new Set(Array.from({ length: 100 }, () => new ReconnectBackoff(times).nextMs()));
  expect(waits.size).toBeGreaterThan(50);
});
