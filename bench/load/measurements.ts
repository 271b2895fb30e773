import { type LoadResult, loadHttp } from './http-load.ts';
import type { LoadedProcess } from './processes.ts';

const rounds = 5;
const roundSeconds = 5;
const warmUpSeconds = 2;
const connections = 50;
const manyConnections = 2_000;
const manySeconds = 10;
const manyRuns = 3;

interface Pair {
  readonly bare: LoadResult;
  readonly cached: LoadResult;
}

/** GETs of the same bytes from a bare route and from the cache, in alternating runs: medians, and every run. */
export async function measureCachedGets(bareUrl: string, cachedUrl: string, say: (text: string) => void) {
  for (const url of [bareUrl, cachedUrl]) await loadHttp({ url, connections, seconds: warmUpSeconds });
  const pairs: Pair[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const bare = await loadHttp({ url: bareUrl, connections, seconds: roundSeconds });
    const cached = await loadHttp({ url: cachedUrl, connections, seconds: roundSeconds });
    pairs.push({ bare, cached });
    say(`round ${round}: bare ${bare.requestsPerSecond.toFixed(0)}/s, cached ${cached.requestsPerSecond.toFixed(0)}/s`);
  }
  const bare = medians(pairs.map((pair) => pair.bare));
  const cached = medians(pairs.map((pair) => pair.cached));
  const ratio = cached.requestsPerSecond / bare.requestsPerSecond;
  const percent = (ratio * 100).toFixed(0);
  say(
    `cached GETs: ${percent} % of a bare route; p99 ${cached.p99Ms.toFixed(1)} ms beside ${bare.p99Ms.toFixed(1)} ms`,
  );
  return { connections, roundSeconds, bare, cached, ratio, pairs };
}

/** Many connections that all ask all the time, several times: what only the first run needs is no growth of memory. */
export async function measureManyConnections(api: LoadedProcess, url: string, say: (text: string) => void) {
  const residentBytes = [api.residentBytes()];
  const runs: LoadResult[] = [];
  for (let run = 0; run < manyRuns; run += 1) {
    runs.push(await loadHttp({ url, connections: manyConnections, seconds: manySeconds }));
    residentBytes.push(api.residentBytes());
  }
  const errors = runs.reduce((sum, run) => sum + run.errors, 0);
  const resident = residentBytes.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' → ');
  say(`${manyConnections} connections: ${errors} errors, resident ${resident} MiB`);
  return { connections: manyConnections, seconds: manySeconds, errors, residentBytes, runs };
}

function medians(runs: readonly LoadResult[]): Omit<LoadResult, 'requests'> {
  const of = (name: keyof LoadResult): number => median(runs.map((run) => run[name]));
  const errors = runs.reduce((sum, run) => sum + run.errors, 0);
  return { requestsPerSecond: of('requestsPerSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), errors };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
