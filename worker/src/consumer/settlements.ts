import type { Settlement } from '@factorial/backing';

export const ack: Settlement = { kind: 'ack' };

const requeueMaxDelayMs = 60_000;

/** Wait before the next try, doubled with each one, at most a minute. */
export function backoffMs(tries: number, firstMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(tries - 1, 30), requeueMaxDelayMs);
}
