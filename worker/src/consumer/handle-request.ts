import {
  BackingError,
  type CalculationRequest,
  type Delivery,
  type Lane,
  PoisonMessageError,
  parseCalculationRequest,
  type Settlement,
} from '@factorial/backing';
import { estimatedSeconds } from '../estimated-seconds.ts';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { announceOutcome } from './announce-outcome.ts';
import { type ClaimedWork, runClaim } from './run-claim.ts';
import type { RunRegistry } from './run-registry.ts';
import { ack, backoffMs } from './settlements.ts';
import { startExecution } from './start-execution.ts';

/** Longest that a delivery waits here for a place in its lane; then it goes back into the queue, where idle workers find it. */
const placeWaitMs = 10_000;

/**
 * Decide what one delivered request needs and say how to settle it. The row is the truth: a message for a row that is
 * done, failed, gone or held by somebody else is acknowledged and forgotten.
 */
export async function handleRequest(
  delivery: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
  runs: RunRegistry,
  stop: AbortSignal,
): Promise<Settlement> {
  let request: CalculationRequest;
  try {
    request = parseCalculationRequest(delivery.body);
  } catch (error) {
    if (!(error instanceof PoisonMessageError)) throw error;
    log.warn({ lane: delivery.lane, reason: error.message }, 'message refused');
    return { kind: 'deadLetter', reason: error.message };
  }
  if (stop.aborted) return { kind: 'requeue', delayMs: 0 };
  try {
    return await calculateOrDelegate(request, delivery, services, options, log, runs, stop);
  } catch (error) {
    if (!(error instanceof BackingError)) throw error;
    log.warn({ number: request.number, code: error.code, reason: error.message }, 'request put back');
    return { kind: 'requeue', delayMs: backoffMs(delivery.deliveryCount, options.retryDelayMs) };
  }
}

async function calculateOrDelegate(
  request: CalculationRequest,
  delivery: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
  runs: RunRegistry,
  stop: AbortSignal,
): Promise<Settlement> {
  const n = BigInt(request.number);
  const { lane } = delivery;
  const { maxFactorial, curFactorial } = await services.metadata.coordination();
  log.info({ number: n, lane, maxFactorial, curFactorial }, 'request received');
  if (n >= options.largeFrom) {
    await startExecution(n, services);
    return ack;
  }
  const place = await runs.enter(lane, placeWaitMs, stop);
  if (place === undefined) {
    if (stop.aborted) return { kind: 'requeue', delayMs: 0 };
    // Handed on, not requeued: waiting for a busy worker is no failed delivery.
    await services.queue.publish(lane, request);
    return ack;
  }
  let work: ClaimedWork | undefined;
  try {
    work = await claimWork(n, delivery, services, options, log);
  } finally {
    if (work === undefined) place.leave();
  }
  if (work === undefined) return ack;
  const run = runClaim(work, services, options, log, stop).finally(() => place.leave());
  if (!outlivesMessage(n, lane, options)) return await run;
  runs.detach(settledByLease(run, n, log));
  return ack;
}

/** Whether the broker might take the message back before the calculation ends. What does not fit at all fails at once. */
function outlivesMessage(n: bigint, lane: Lane, { budgets, ackAfterDoneMaxSeconds }: WorkerOptions): boolean {
  const seconds = estimatedSeconds(n, budgets[lane]);
  return Number.isFinite(seconds) && seconds > ackAfterDoneMaxSeconds;
}

/** The claim, or undefined when the row needs nothing from this message. */
async function claimWork(
  n: bigint,
  { lane, deliveryCount }: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
): Promise<ClaimedWork | undefined> {
  const outcome = await services.metadata.claim(n, options.owner, options);
  if (outcome.kind === 'claimed') return { claim: outcome.claim, row: outcome.row, lane };
  log.info({ number: n, outcome: outcome.kind }, 'nothing to do');
  // Delivered again after the row ended: the worker that ended it may have died before it said so.
  if (outcome.kind === 'settled' && deliveryCount > 1) await announceOutcome(outcome.row, services.queue, log);
  return undefined;
}

/** A run whose message is gone: whatever becomes of it, the row's lease and the sweep take it up. */
async function settledByLease(run: Promise<Settlement>, n: bigint, log: WorkerLog): Promise<void> {
  try {
    await run;
  } catch (error) {
    log.error(
      { number: n, reason: error instanceof Error ? error.message : 'unknown' },
      'calculation left to its lease',
    );
  }
}
