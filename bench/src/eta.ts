/**
 * How good is the time left that a run announces? At every hundredth of the wall time from the first tenth to the last, the seconds announced last,
 * counted down, against the seconds that were really left: the worst error is a share of these. In the last tenth it would be one of a moment, so there it is
 * not judged. Bounded: a case takes some seconds, all of them about a minute, and what is not done after ten is stopped.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Budget,
  type ComputeOptions,
  computeFactorial,
  defaultBudget,
  type Progress,
  type StoredFactorial,
} from '@factorial/compute';
import { record } from './record.ts';

const mebibyte = 2 ** 20;
const deadline = AbortSignal.timeout(600_000);

interface Sample {
  readonly seconds: number;
  readonly progress: Progress;
}

/** One run to its last digit: when it announced what. */
async function watch(
  n: number,
  options: Pick<ComputeOptions, 'budget' | 'from' | 'checkpointDir'>,
): Promise<{ samples: Sample[]; seconds: number }> {
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const now = () => (performance.now() - startedMs) / 1000;
  const onProgress = (progress: Progress) => void samples.push({ seconds: now(), progress });
  await using result = await computeFactorial(n, { ...options, onProgress, signal: deadline });
  for await (const chunk of result.digits()) if (chunk.length === 0) throw new Error('an empty chunk');
  await result.sha256;
  return { samples, seconds: now() };
}

/** The worst error over the moments of one run. */
function judge({ samples, seconds }: { samples: Sample[]; seconds: number }) {
  let worst = { error: 0, atPercent: 10 };
  for (let percent = 10; percent <= 90; percent++) {
    const moment = (seconds * percent) / 100;
    const last = samples.findLast((sample) => sample.seconds <= moment);
    const announced = last?.progress.remainingSeconds;
    if (last === undefined || announced === undefined) return { seconds, missingAtPercent: percent };
    const left = Math.max(0, announced - (moment - last.seconds));
    const error = left / (seconds - moment) - 1;
    if (Math.abs(error) > Math.abs(worst.error)) worst = { error, atPercent: percent };
  }
  return { seconds, worstErrorOfTimeLeft: worst.error, atPercent: worst.atPercent };
}

/** Runs until a share of the units is done, and leaves the checkpoint. */
async function leaveCheckpoint(n: number, budget: Budget, checkpointDir: string, share: number): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, deadline]);
  const onProgress = ({ done, total }: Progress) => {
    if (done >= share * total) stop.abort();
  };
  try {
    await using _ = await computeFactorial(n, { budget, checkpointDir, keepCheckpoint: true, onProgress, signal });
  } catch (error) {
    deadline.throwIfAborted();
    if (!stop.signal.aborted) throw error;
  }
}

async function storedFactorial(m: number, budget: Budget): Promise<StoredFactorial> {
  const chunks: Uint8Array[] = [];
  await using result = await computeFactorial(m, { budget, signal: deadline });
  for await (const chunk of result.digits()) chunks.push(chunk);
  return {
    n: m,
    async *digits() {
      yield* chunks;
    },
  };
}

interface Case {
  readonly n: number;
  readonly threads: 1 | 2;
  /** Of a run out of core. */
  readonly mebibytes?: number;
  /** m of a stored m! to start from. */
  readonly m?: number;
  /** Share of the units that an earlier process did. */
  readonly resumedAt?: number;
}

const cases: readonly Case[] = [
  { n: 1_000_000, threads: 2 },
  { n: 1_000_000, threads: 1 },
  { n: 10_000_000, threads: 2 },
  { n: 10_000_000, threads: 1 },
  { n: 30_000_000, threads: 2 },
  { n: 30_000_000, threads: 1 },
  { n: 10_000_000, threads: 2, mebibytes: 128 },
  { n: 10_000_000, threads: 1, mebibytes: 128 },
  { n: 30_000_000, threads: 2, mebibytes: 256 },
  { n: 30_000_000, threads: 1, mebibytes: 256 },
  { n: 10_000_000, threads: 2, m: 9_000_000 },
  { n: 30_000_000, threads: 2, mebibytes: 256, m: 28_000_000 },
  { n: 30_000_000, threads: 2, mebibytes: 256, resumedAt: 0.35 },
  { n: 30_000_000, threads: 2, mebibytes: 256, resumedAt: 0.6 },
];

function nameOf({ n, threads, mebibytes, m, resumedAt }: Case): string {
  const where = mebibytes === undefined ? 'in memory' : `out of core in ${mebibytes} MiB`;
  const start = m === undefined ? '' : `, from ${m}!`;
  return `${n}! ${where}, threads: ${threads}${start}${resumedAt === undefined ? '' : `, resumed at ${resumedAt}`}`;
}

const inMemory = (threads: number) => defaultBudget({ threads, memoryBytes: 8 * 2 ** 30 });

async function measure({ n, threads, mebibytes, m, resumedAt }: Case, scratchDir: string) {
  const files = { scratchDir, scratchBytes: 2 ** 33 };
  const budget =
    mebibytes === undefined
      ? inMemory(threads)
      : defaultBudget({ threads, memoryBytes: mebibytes * mebibyte, ...files });
  const from = m === undefined ? {} : { from: await storedFactorial(m, inMemory(2)) };
  if (resumedAt === undefined) return judge(await watch(n, { budget, ...from }));
  const checkpointDir = join(scratchDir, 'checkpoint');
  await leaveCheckpoint(n, budget, checkpointDir, resumedAt);
  return judge(await watch(n, { budget, checkpointDir }));
}

const only = process.argv.slice(2).map(Number);
const results: Record<string, unknown> = {};
console.error('at most ten minutes, about one on a machine that does nothing else');
for (const [index, one] of cases.entries()) {
  if (only.length > 0 && !only.includes(index)) continue;
  const scratchDir = await mkdtemp(join(tmpdir(), 'eta-'));
  try {
    const result = await measure(one, scratchDir);
    results[nameOf(one)] = result;
    console.error(nameOf(one), result);
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}
if (only.length === 0) record('eta', results);
