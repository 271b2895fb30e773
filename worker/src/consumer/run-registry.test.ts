import { describe, expect, it } from 'vitest';
import { RunRegistry } from './run-registry.ts';

const never = new AbortController().signal;
const places = { 'small.quick': 2, 'small.long': 1, large: 1 };

describe('the places of a worker', () => {
  it('are as many as the lane has, and one that is left goes to whoever waits', async () => {
    const runs = new RunRegistry(places);
    const first = await runs.enter('small.quick', 0, never);
    expect(await runs.enter('small.quick', 0, never)).toBeDefined();
    expect(await runs.enter('small.quick', 20, never)).toBeUndefined();
    expect(await runs.enter('small.long', 0, never)).toBeDefined();
    const waiting = [runs.enter('small.quick', 5_000, never), runs.enter('small.quick', 50, never)];
    first?.leave();
    expect((await Promise.all(waiting)).filter((place) => place !== undefined)).toHaveLength(1);
  });

  it('are not given out after the worker was told to stop', async () => {
    const runs = new RunRegistry(places);
    const stop = new AbortController();
    await runs.enter('small.long', 0, stop.signal);
    const waiting = runs.enter('small.long', 60_000, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await runs.enter('small.quick', 0, stop.signal)).toBeUndefined();
  });

  it('count runs without a message until they end, and wait for them only so long', async () => {
    const runs = new RunRegistry(places);
    let end = (): void => undefined;
    runs.detach(new Promise<void>((resolve) => (end = resolve)));
    const startedMs = performance.now();
    await runs.idle(30);
    expect(performance.now() - startedMs).toBeGreaterThan(25);
    const idle = runs.idle(60_000);
    end();
    await idle;
    await runs.idle(60_000);
  });
});
