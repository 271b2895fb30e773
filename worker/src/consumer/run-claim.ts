import {
  type CalculationOutcome,
  type Claim,
  type FactorialRow,
  type Lane,
  runCalculation,
  type Settlement,
  type StoredStart,
} from '@factorial/backing';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { announceOutcome } from './announce-outcome.ts';
import { ack, backoffMs } from './settlements.ts';

/** What was claimed, and from which lane. */
export interface ClaimedWork {
  readonly claim: Claim;
  readonly row: FactorialRow;
  readonly lane: Lane;
  /** The stored result that the run may start from. */
  readonly start: StoredStart | undefined;
}

/** Carry a claimed row to its end, report how it ended, and say how to settle the message that asked for it. */
export async function runClaim(
  { claim, row, lane, start }: ClaimedWork,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
  stop: AbortSignal,
): Promise<Settlement> {
  const startedMs = performance.now();
  const budget = options.budgets[lane];
  const support = { checkpoints: services.checkpoints, start, idleThreadsMs: options.idleThreadsMs, log };
  const run = () => runCalculation(claim, services, { ...options, budget, support }, stop);
  const result = await (services.metrics?.measure(lane, run) ?? run());
  const seconds = (performance.now() - startedMs) / 1000;
  report(result, { number: claim.n, attempt: claim.attempt, fence: claim.fence, seconds }, log);
  if (result.kind === 'retry') return { kind: 'requeue', delayMs: backoffMs(row.failures + 1, options.retryDelayMs) };
  if (result.kind === 'done') await announceOutcome(result.row, services, log);
  if (result.kind === 'failed') {
    await announceOutcome({ ...row, status: 'failed', error: result.reason }, services, log);
  }
  return ack;
}

function report(result: CalculationOutcome, fields: object, log: WorkerLog): void {
  if (result.kind === 'done') {
    log.info({ ...fields, digits: result.row.digits, checksum: result.row.checksum }, 'calculation done');
  } else if (result.kind === 'retry') {
    log.warn({ ...fields, reason: result.reason }, 'calculation failed, will be tried again');
  } else if (result.kind === 'failed') {
    log.error({ ...fields, reason: result.reason }, 'calculation failed');
  } else {
    log.info({ ...fields, outcome: result.kind }, 'calculation left');
  }
}
