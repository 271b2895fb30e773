import { setTimeout as delay } from 'node:timers/promises';

export interface StormResult {
  readonly count: number;
  readonly acceptedSeconds: number;
  readonly doneSeconds: number;
  /** Requests that were not accepted, or that the service does not list in the end. */
  readonly lost: number;
  /** Accepted, listed, and still to be done when patience was over: 0 on a machine with nothing else to do. */
  readonly unfinished: number;
}

const firstNumber = 2_001;
const requestsAtOnce = 100;
const doneWithinMs = 600_000;
const answerTimeoutMs = 60_000;
const pageLimit = 1_000;

/** POST this many different numbers, a hundred at a time, then wait until every one is done. */
export async function storm(apiUrl: string, count: number, say: (text: string) => void): Promise<StormResult> {
  const numbers = Array.from({ length: count }, (_, index) => firstNumber + index);
  const startedMs = performance.now();
  const refused = await each(numbers, async (n) => {
    const body = JSON.stringify({ number: n });
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const answer = await fetch(`${apiUrl}/factorial`, { method: 'POST', headers, body, signal });
    await answer.arrayBuffer();
    return answer.status !== 202 && answer.status !== 200;
  });
  const acceptedSeconds = (performance.now() - startedMs) / 1000;
  const deadline = performance.now() + doneWithinMs;
  let waiting: readonly number[] = numbers;
  let listed: ReadonlyMap<number, string> = new Map();
  while (waiting.length > 0 && performance.now() < deadline) {
    await delay(1_000);
    listed = await listedNumbers(apiUrl);
    waiting = numbers.filter((n) => listed.get(n) !== 'done');
    say(`  ${numbers.length - waiting.length} of ${numbers.length} done`);
  }
  const doneSeconds = (performance.now() - startedMs) / 1000;
  const missing = numbers.filter((n) => !listed.has(n) || listed.get(n) === 'failed');
  const lost = new Set([...refused, ...missing]).size;
  return { count, acceptedSeconds, doneSeconds, lost, unfinished: waiting.length };
}

/** All that the service lists, and the status of each. */
async function listedNumbers(apiUrl: string): Promise<ReadonlyMap<number, string>> {
  const listed = new Map<number, string>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const answer = await fetch(`${apiUrl}/factorial/list?limit=${pageLimit}${after}`, { signal });
    if (answer.status !== 200) throw new Error(`expected a page of the list, got ${answer.status}`);
    const page = (await answer.json()) as { items: { number: string; status: string }[]; next: string | null };
    for (const { number, status } of page.items) listed.set(Number(number), status);
    cursor = page.next;
  }
  return listed;
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
