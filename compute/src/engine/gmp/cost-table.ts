/**
 * Seconds of a whole run on one thread and on two, pool start included. Measured by `tuners/gmp-cost-table.ts`, which prints this
 * table; CPU and date are in `tuners/README.md`.
 */
const measured: readonly { readonly n: number; readonly oneThread: number; readonly twoThreads: number }[] = [
  { n: 1_000, oneThread: 0.001, twoThreads: 0.001 },
  { n: 10_000, oneThread: 0.1, twoThreads: 0.1 },
  { n: 1_000_000, oneThread: 4, twoThreads: 2.5 },
];

/** Estimated seconds of n!, between and beyond the measured points along straight lines in log n, log seconds. */
export function estimateSeconds(n: number, threads: number): number {
  const x = Math.log(Math.max(n, 2));
  const last = measured.length - 2;
  const index = Math.min(last, Math.max(0, measured.findIndex((point) => point.n > n) - 1));
  const [left, right] = [
    measured[n >= measured[last]!.n ? last : index]!,
    measured[(n >= measured[last]!.n ? last : index) + 1]!,
  ];
  const seconds = (point: (typeof measured)[number]): number =>
    Math.log(threads >= 2 ? point.twoThreads : point.oneThread);
  const slope = (seconds(right) - seconds(left)) / (Math.log(right.n) - Math.log(left.n));
  return Math.exp(seconds(left) + slope * (x - Math.log(left.n)));
}
