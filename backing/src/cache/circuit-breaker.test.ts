import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { TransientError } from '../contracts/errors.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const down = async (): Promise<never> => {
  throw new Error('down');
};
const up = async (): Promise<string> => 'up';

async function openBreaker(faultsToOpen: number, pauseMs: number) {
  const onOpened = vi.fn();
  const onClosed = vi.fn();
  const breaker = new CircuitBreaker({ faultsToOpen, pauseMs, onOpened, onClosed });
  for (let fault = 0; fault < faultsToOpen; fault++) await expect(breaker.run(down)).rejects.toThrow('down');
  return { breaker, onOpened, onClosed };
}

describe('the circuit breaker', () => {
  test('opens after so many faults in a row, and refuses calls without making them', async () => {
    const { breaker, onOpened } = await openBreaker(3, 60_000);
    expect(onOpened).toHaveBeenCalledTimes(1);
    const call = vi.fn(up);
    await expect(breaker.run(call)).rejects.toThrow(TransientError);
    expect(call).not.toHaveBeenCalled();
  });

  test('a success in between starts the count again', async () => {
    const breaker = new CircuitBreaker({ faultsToOpen: 2, pauseMs: 60_000 });
    for (let round = 0; round < 5; round++) {
      await expect(breaker.run(down)).rejects.toThrow('down');
      expect(await breaker.run(up)).toBe('up');
    }
  });

  test('after the pause one call probes, others are refused meanwhile, and its success closes the circuit', async () => {
    const { breaker, onClosed } = await openBreaker(1, 30);
    await sleep(50);
    const gate = Promise.withResolvers<string>();
    const probe = breaker.run(() => gate.promise);
    await expect(breaker.run(up)).rejects.toThrow(TransientError);
    gate.resolve('up');
    expect(await probe).toBe('up');
    expect(onClosed).toHaveBeenCalledTimes(1);
    expect(await breaker.run(up)).toBe('up');
  });

  test('a failed probe opens it for another pause and is not told again', async () => {
    const { breaker, onOpened } = await openBreaker(1, 30);
    await sleep(50);
    await expect(breaker.run(down)).rejects.toThrow('down');
    await expect(breaker.run(up)).rejects.toThrow(TransientError);
    expect(onOpened).toHaveBeenCalledTimes(1);
    await sleep(50);
    expect(await breaker.run(up)).toBe('up');
  });

  test('calls that began before it opened neither close it nor open it anew', async () => {
    const breaker = new CircuitBreaker({ faultsToOpen: 1, pauseMs: 60_000 });
    const slow = Promise.withResolvers<string>();
    const late = breaker.run(() => slow.promise);
    await expect(breaker.run(down)).rejects.toThrow('down');
    slow.resolve('up');
    expect(await late).toBe('up');
    await expect(breaker.run(up)).rejects.toThrow(TransientError);
  });
});
