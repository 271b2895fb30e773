import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from allocating in the old generation what a request makes. It decides so for good by the first collections, which look all alive
 * when the first requests come at once; then each object made there keeps whole requests until the next full collection. Measured with 50
 * connections from the first request on: 41,000 answers a second instead of 32,000, p99 3 ms instead of 14, resident 281 MiB instead of
 * 333. To be called before the process serves anything.
 */
export function keepAnswersYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
