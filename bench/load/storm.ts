import { setTimeout as delay } from 'node:timers/promises';

export interface StormResult {
  readonly count: number;
  readonly acceptedSeconds: number;
  readonly doneSeconds: number;
  /** Requests that were not accepted, or not done in the end. */
  readonly lost: number;
}

const firstNumber = 2_001;
const requestsAtOnce = 100;
const doneWithinMs = 600_000;

/** POST this many different numbers, a hundred at a time, then wait until every one is done. */
export async function storm(apiUrl: string, count: number): Promise<StormResult> {
  const numbers = Array.from({ length: count }, (_, index) => firstNumber + index);
  const startedMs = performance.now();
  const refused = await each(numbers, async (n) => {
    const body = JSON.stringify({ number: n });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${apiUrl}/factorial`, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    return answer.status !== 202 && answer.status !== 200;
  });
  const acceptedSeconds = (performance.now() - startedMs) / 1000;
  const deadline = performance.now() + doneWithinMs;
  let waiting = numbers;
  while (waiting.length > 0 && performance.now() < deadline) {
    await delay(500);
    waiting = await each(waiting, async (n) => {
      const row = (await (await fetch(`${apiUrl}/factorial/metadata?number=${n}`)).json()) as { status: string };
      return row.status !== 'done';
    });
  }
  const doneSeconds = (performance.now() - startedMs) / 1000;
  return { count, acceptedSeconds, doneSeconds, lost: new Set([...refused, ...waiting]).size };
}

/** Those numbers for which the answer is true. */
async function each(numbers: readonly number[], ask: (n: number) => Promise<boolean>): Promise<number[]> {
  const found: number[] = [];
  let next = 0;
  const drain = async (): Promise<void> => {
    for (let index = next++; index < numbers.length; index = next++) {
      const n = numbers[index] ?? 0;
      if (await ask(n)) found.push(n);
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, drain));
  return found;
}
