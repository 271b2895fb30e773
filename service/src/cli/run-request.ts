import { mkdir } from 'node:fs/promises';
import {
  type Budget,
  computeFactorial,
  type DigitSink,
  defaultBudget,
  digitCountOfFactorial,
  type FactorialPlan,
  type FactorialResult,
  FileSink,
  freeScratchBytes,
  InputError,
  PlanCapacityError,
  type PlannedStart,
  type PlanOptions,
  planFactorial,
  StreamSink,
  stdoutSink,
  trailingZeroCount,
} from '@factorial/compute';
import type { CliRequest } from './command-line.ts';
import { DigitSummary, formatBytes, groupThousands } from './digit-summary.ts';
import { formatSeconds, ProgressBar } from './progress-bar.ts';
import { openSource } from './source-file.ts';

/** On a terminal, results longer than this are summarised. */
const terminalMaxDigits = 10_000n;
/** Nothing else waits for this process: it may compute by itself for as long as starting threads would not pay. */
const blockingSeconds = 0.25;
/** Few and large: each costs the threads of files and streams a wake-up. */
const maxChunkBytes = 2 ** 20;
/** Share of a disk's free bytes that scratch files may take. */
const scratchShare = 0.9;

/** Carry out one request of the command line; digits, summary or JSON go to stdout, all else to stderr. */
export async function runRequest(request: CliRequest, signal: AbortSignal): Promise<void> {
  const budget = await budgetOf(request);
  const from = request.from === undefined ? {} : { from: await openSource(request.from, request.n) };
  if (request.planOnly) {
    writePlanOf(request, budget, from);
    return;
  }
  const startedMs = performance.now();
  const bar = process.stderr.isTTY && !request.quiet ? new ProgressBar(process.stderr) : undefined;
  try {
    await using result = await computeFactorial(request.n, {
      budget,
      signal,
      maxChunkBytes,
      lendChunks: true,
      ...(request.checkpointDir === undefined ? {} : { checkpointDir: request.checkpointDir }),
      ...from,
      ...(bar === undefined ? {} : { onProgress: (progress) => bar.update(progress) }),
    });
    await deliver(request, result, signal, () => bar?.close(), startedMs);
  } finally {
    bar?.close();
  }
}

async function budgetOf({ threads, memoryBytes, scratchDir, checkpointDir, engine }: CliRequest): Promise<Budget> {
  return defaultBudget({
    engine,
    blockingSeconds,
    ...(threads === undefined ? {} : { threads }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(scratchDir === undefined
      ? {}
      : { scratchDir, scratchBytes: await scratchCapacity(scratchDir, scratchDir === checkpointDir) }),
  });
}

/** Scratch may take what the disk has free, but for a reserve. */
async function scratchCapacity(scratchDir: string, create: boolean): Promise<number> {
  try {
    if (create) await mkdir(scratchDir, { recursive: true });
    return Math.floor((await freeScratchBytes(scratchDir)) * scratchShare);
  } catch (cause) {
    throw new InputError('an existing folder for scratch files', scratchDir, { cause });
  }
}

async function deliver(
  request: CliRequest,
  result: FactorialResult,
  signal: AbortSignal,
  closeBar: () => void,
  startedMs: number,
): Promise<void> {
  const summarise =
    request.outPath === undefined && !request.json && process.stdout.isTTY && result.digitCount > terminalMaxDigits;
  const summary = summarise ? new DigitSummary() : undefined;
  const sink = chooseSink(request, summary);
  // Digits and bar would share the terminal.
  if (sink instanceof StreamSink) closeBar();
  await sink.write({ digits: result.digits(), digitCount: result.digitCount, signal });
  const sha256 = await result.sha256;
  const seconds = (performance.now() - startedMs) / 1000;
  closeBar();
  if (request.json) process.stdout.write(`${JSON.stringify(facts(result, sha256, seconds))}\n`);
  else if (summary !== undefined) process.stdout.write(summaryText(request, result, summary, sha256, seconds));
  else if (request.outPath === undefined) process.stdout.write(process.stdout.isTTY ? '\n' : '');
  else if (!request.quiet)
    process.stderr.write(startText(result.plan) + writtenText(request.outPath, result, sha256, seconds));
}

function chooseSink(request: CliRequest, summary: DigitSummary | undefined): DigitSink {
  if (request.outPath !== undefined) return new FileSink(request.outPath);
  return request.json || summary !== undefined ? createObserver(summary) : stdoutSink();
}

/** Consumes the digits without keeping them: for the summary and for facts alone. */
function createObserver(summary: DigitSummary | undefined): DigitSink {
  return {
    async write({ digits }) {
      let bytes = 0n;
      for await (const chunk of digits) {
        bytes += BigInt(chunk.length);
        summary?.update(chunk);
      }
      return { bytes, location: 'nowhere' };
    },
  };
}

/** The line of `--json`. Counts beyond 2^53 stay exact: n, digits and trailingZeros are decimal strings. */
function facts(result: FactorialResult, sha256: string, seconds: number): object {
  return {
    n: result.n.toString(),
    digits: result.digitCount.toString(),
    trailingZeros: result.trailingZeros.toString(),
    sha256,
    seconds: Number(seconds.toFixed(3)),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    engine: result.engine,
    threads: result.threads,
    ...(result.plan.from === undefined ? {} : { from: result.plan.from }),
    verified: true,
  };
}

function summaryText(
  { n }: CliRequest,
  result: FactorialResult,
  summary: DigitSummary,
  sha256: string,
  seconds: number,
): string {
  return [
    `${n}! = ${summary}`,
    `${groupThousands(result.digitCount)} digits, ${groupThousands(result.trailingZeros)} trailing zeros, verified, in ${formatSeconds(seconds)}`,
    `SHA-256 ${sha256}`,
    `All digits: factorial ${n} --out ${n}.txt, or into a pipe: factorial ${n} | less`,
    '',
  ].join('\n');
}

function writtenText(path: string, result: FactorialResult, sha256: string, seconds: number): string {
  return `${groupThousands(result.digitCount)} digits in ${path}, verified, in ${formatSeconds(seconds)}\nSHA-256 ${sha256}\n`;
}

/** Where the run started, when a stored factorial was offered. */
function startText({ from }: FactorialPlan): string {
  return from === undefined ? '' : `${startLine(from)}\n`;
}

function startLine({ n, used, reason }: PlannedStart): string {
  return `${used ? `from ${n}!` : 'afresh'} (${reason})`;
}

/** What n! is and takes, whether it fits or not; throws the refusal when it does not. */
function writePlanOf({ n, json }: CliRequest, budget: Budget, from: PlanOptions): void {
  try {
    writePlan(planFactorial(n, budget, from), json, { fits: true });
  } catch (error) {
    if (!(error instanceof PlanCapacityError)) throw error;
    const largestPossible = error.largestPossible?.toString() ?? null;
    const facts = { n: `${n}`, digitCount: `${digitCountOfFactorial(n)}`, trailingZeros: `${trailingZeroCount(n)}` };
    writePlan(error.needed ?? facts, json, { fits: false, reason: error.message, largestPossible });
    throw error;
  }
}

function writePlan(
  plan: Pick<FactorialPlan, 'n' | 'digitCount' | 'trailingZeros'> & Partial<FactorialPlan>,
  json: boolean,
  verdict: { readonly fits: boolean; readonly reason?: string; readonly largestPossible?: string | null },
): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...plan, ...verdict })}\n`);
    return;
  }
  const rows = [
    ['digits', groupThousands(BigInt(plan.digitCount))],
    ['trailing zeros', groupThousands(BigInt(plan.trailingZeros))],
    ['engine', plan.engine],
    ['threads', plan.threads],
    ['memory', plan.memoryBytes === undefined ? undefined : formatBytes(plan.memoryBytes)],
    ['storage', plan.storage === undefined ? undefined : `${plan.storage}: ${plan.storageReason}`],
    ['scratch', plan.scratchBytes === undefined ? undefined : formatBytes(plan.scratchBytes)],
    ['scratch I/O', plan.ioBytes === undefined ? undefined : formatBytes(plan.ioBytes)],
    ['estimated time', plan.estimatedSeconds === undefined ? undefined : formatSeconds(plan.estimatedSeconds)],
    ['start', plan.from === undefined ? undefined : startLine(plan.from)],
    ['fits here', verdict.fits ? 'yes' : `no, at most ${groupThousands(BigInt(verdict.largestPossible ?? 0))}!`],
  ].filter(([, value]) => value !== undefined);
  process.stdout.write(`${plan.n}!\n${rows.map(([name, value]) => `  ${`${name}`.padEnd(15)} ${value}`).join('\n')}\n`);
}
