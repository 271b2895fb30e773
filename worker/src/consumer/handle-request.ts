import {
  BackingError,
  type CalculationRequest,
  type Delivery,
  nearestStart,
  PoisonMessageError,
  parseCalculationRequest,
  type Settlement,
  type StoredStart,
} from '@factorial/backing';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { planned } from '../planned.ts';
import { admitRun, handOn } from './admission.ts';
import type { ConsumerContext } from './consumer-context.ts';
import { type ClaimedWork, runClaim } from './run-claim.ts';
import { ack, backoffMs } from './settlements.ts';
import { startExecution } from './start-execution.ts';

/**
 * Decide what one delivered request needs and say how to settle it. The row is the truth: a message for a row that is
 * done, failed, gone or held by somebody else is acknowledged and forgotten.
 */
export async function handleRequest(delivery: Delivery, context: ConsumerContext): Promise<Settlement> {
  const { services, options, log, drain } = context;
  let request: CalculationRequest;
  try {
    request = parseCalculationRequest(delivery.body);
  } catch (error) {
    if (!(error instanceof PoisonMessageError)) throw error;
    services.metrics?.refused(delivery.lane);
    log.warn({ lane: delivery.lane, reason: error.message }, 'message refused');
    return { kind: 'deadLetter', reason: error.message };
  }
  if (drain.aborted) return { kind: 'requeue', delayMs: 0 };
  try {
    return await calculateOrDelegate(request, delivery, context);
  } catch (error) {
    if (!(error instanceof BackingError)) throw error;
    log.warn({ number: request.number, code: error.code, reason: error.message }, 'request put back');
    return { kind: 'requeue', delayMs: backoffMs(delivery.deliveryCount, options.retryDelayMs) };
  }
}

async function calculateOrDelegate(
  request: CalculationRequest,
  delivery: Delivery,
  context: ConsumerContext,
): Promise<Settlement> {
  const { services, options, log, runs, stop } = context;
  const n = BigInt(request.number);
  const { lane } = delivery;
  const { maxFactorial, curFactorial } = await services.metadata.coordination();
  log.info({ number: n, lane, maxFactorial, curFactorial }, 'request received');
  if (n >= options.largeFrom) {
    await startExecution(n, services);
    return ack;
  }
  const plan = planned(n, options.budgets[lane]);
  // Whoever published it thought this lane's memory larger than it is.
  if (plan === undefined && lane === 'small.quick') return await handOn(request, 'small.long', context);
  const start = await nearestStart(n, options.budgets[lane], services.metadata, options.storedBytesPerSecond);
  const admission = await admitRun(request, plan, start, lane, context);
  if (admission.kind === 'settled') return admission.settlement;
  let work: ClaimedWork | undefined;
  try {
    work = await claimWork(n, start, delivery, services, options, log);
  } finally {
    if (work === undefined) await admission.leave();
  }
  if (work === undefined) return ack;
  const run = runClaim(work, services, options, log, stop).finally(() => admission.leave());
  if (plan === undefined || plan.estimatedSeconds <= options.ackAfterDoneMaxSeconds) return await run;
  // The broker would take the message back before the calculation ends.
  runs.detach(settledByLease(run, n, log));
  return ack;
}

/** The claim, or undefined when the row needs nothing from this message. */
async function claimWork(
  n: bigint,
  start: StoredStart | undefined,
  { lane }: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
): Promise<ClaimedWork | undefined> {
  const outcome = await services.metadata.claim(n, options.owner, options);
  if (outcome.kind === 'claimed') return { claim: outcome.claim, row: outcome.row, lane, start };
  log.info({ number: n, outcome: outcome.kind }, 'nothing to do');
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
