interface MeasuredRun {
  readonly n: number;
  readonly oneThread: number;
  readonly twoThreads: number;
}

/**
 * Seconds of whole runs, n to all digits, on one thread and on two. Printed by `tuners/gmp-cost-table.ts`; two cores of an AMD EPYC,
 * Node 24.21. The step at 25,000 is the start of a thread.
 */
const measured: readonly MeasuredRun[] = [
  { n: 1_000, oneThread: 0.0015, twoThreads: 0.0015 },
  { n: 24_999, oneThread: 0.017, twoThreads: 0.017 },
  { n: 25_000, oneThread: 0.085, twoThreads: 0.1 },
  { n: 100_000, oneThread: 0.17, twoThreads: 0.17 },
  { n: 300_000, oneThread: 0.52, twoThreads: 0.4 },
  { n: 1_000_000, oneThread: 2.4, twoThreads: 1.5 },
  { n: 3_000_000, oneThread: 12, twoThreads: 7.5 },
  { n: 10_000_000, oneThread: 46, twoThreads: 32 },
];

/** Estimated seconds of n!, between and beyond the measured runs along straight lines in log n, log seconds. */
export function estimateSeconds(n: number, threads: number): number {
  const next = measured.findIndex((run) => run.n > n);
  const rightIndex = next === -1 ? measured.length - 1 : Math.max(1, next);
  const left = measured[rightIndex - 1]!;
  const right = measured[rightIndex]!;
  const logSeconds = (run: MeasuredRun): number => Math.log(threads >= 2 ? run.twoThreads : run.oneThread);
  const position = (Math.log(Math.max(n, 1)) - Math.log(left.n)) / (Math.log(right.n) - Math.log(left.n));
  return Math.exp(logSeconds(left) + position * (logSeconds(right) - logSeconds(left)));
}
