/**
 * How good is the time left that a run announces? The worst error from the first tenth of the run on, as a share of what was really left (while more
 * than a tenth of the run was) and of the whole run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Budget, computeFactorial, defaultBudget, type Progress, type StoredFactorial } from '@factorial/compute';
import { record } from './record.ts';

const mebibyte = 2 ** 20;

interface Sample {
  readonly seconds: number;
  readonly progress: Progress;
}

/** One run to its last digit: when it announced what. */
async function watch(
  n: number,
  budget: Budget,
  from?: StoredFactorial,
): Promise<{ samples: Sample[]; seconds: number }> {
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const now = () => (performance.now() - startedMs) / 1000;
  const onProgress = (progress: Progress) => void samples.push({ seconds: now(), progress });
  await using result = await computeFactorial(n, { budget, onProgress, ...(from === undefined ? {} : { from }) });
  for await (const chunk of result.digits()) if (chunk.length === 0) throw new Error('an empty chunk');
  await result.sha256;
  return { samples, seconds: now() };
}

/** Worst errors over a hundred moments, each judged by the last announcement before it, counted down. */
function judge({ samples, seconds }: { samples: Sample[]; seconds: number }) {
  let worstOfLeft = 0;
  let worstOfRun = 0;
  for (let percent = 10; percent < 100; percent++) {
    const moment = (seconds * percent) / 100;
    const last = samples.findLast((sample) => sample.seconds <= moment);
    const announced = last?.progress.remainingSeconds;
    if (last === undefined || announced === undefined) return { seconds, missingAtPercent: percent };
    const left = Math.max(0, announced - (moment - last.seconds));
    const error = Math.abs(left - (seconds - moment));
    worstOfRun = Math.max(worstOfRun, error / seconds);
    if (percent <= 90) worstOfLeft = Math.max(worstOfLeft, error / (seconds - moment));
  }
  return { seconds, worstErrorOfTimeLeft: worstOfLeft, worstErrorOfRun: worstOfRun };
}

/** Time at which each tenth of the units was done, for whoever adjusts their weights. */
function curve({ samples, seconds }: { samples: Sample[]; seconds: number }): string {
  const points: string[] = [];
  let next = 0.05;
  for (const { seconds: at, progress } of samples) {
    const share = progress.done / progress.total;
    if (share < next) continue;
    points.push(`${progress.phase} ${share.toFixed(2)}@${(at / seconds).toFixed(2)}`);
    next = share + 0.05;
  }
  return points.join(' ');
}

async function storedFactorial(m: number, budget: Budget): Promise<StoredFactorial> {
  const chunks: Uint8Array[] = [];
  await using result = await computeFactorial(m, { budget });
  for await (const chunk of result.digits()) chunks.push(chunk);
  return {
    n: m,
    async *digits() {
      yield* chunks;
    },
  };
}

const scratchDir = await mkdtemp(join(tmpdir(), 'eta-'));
try {
  const inMemory = defaultBudget({ threads: 2, memoryBytes: 8 * 2 ** 30 });
  const outOfCore = defaultBudget({ threads: 2, memoryBytes: 256 * mebibyte, scratchDir, scratchBytes: 2 ** 33 });
  const runs: readonly [string, number, Budget, number?][] = [
    ['10^7 in memory', 10_000_000, inMemory],
    ['3*10^7 in memory', 30_000_000, inMemory],
    ['3*10^7 out of core, 256 MiB', 30_000_000, outOfCore],
    ['10^7 in memory from 9*10^6!', 10_000_000, inMemory, 9_000_000],
    ['3*10^7 out of core from 2.8*10^7!', 30_000_000, outOfCore, 28_000_000],
  ];
  const only = process.argv.slice(2).map(Number);
  const results: Record<string, unknown> = {};
  for (const [index, [name, n, budget, m]] of runs.entries()) {
    if (only.length > 0 && !only.includes(index)) continue;
    const from = m === undefined ? undefined : await storedFactorial(m, inMemory);
    const run = await watch(n, budget, from);
    console.error(name, curve(run));
    results[name] = judge(run);
  }
  if (only.length === 0) record('eta', results);
  else console.log(results);
} finally {
  await rm(scratchDir, { recursive: true, force: true });
}
