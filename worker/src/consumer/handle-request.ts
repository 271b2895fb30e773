import {
  BackingError,
  type CalculationRequest,
  type Delivery,
  PoisonMessageError,
  parseCalculationRequest,
  runCalculation,
  type Settlement,
} from '@factorial/backing';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { startExecution } from './start-execution.ts';

const ack: Settlement = { kind: 'ack' };
const requeueMaxDelayMs = 60_000;

/**
 * Decide what one delivered request needs and say how to settle it. The row is the truth: a message for a row that is
 * done, failed, gone or held by somebody else is acknowledged and forgotten.
 */
export async function handleRequest(
  delivery: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
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
    return await calculateOrDelegate(BigInt(request.number), delivery, services, options, log, stop);
  } catch (error) {
    if (!(error instanceof BackingError)) throw error;
    log.warn({ number: request.number, code: error.code, reason: error.message }, 'request put back');
    return { kind: 'requeue', delayMs: backoffMs(delivery.deliveryCount, options.retryDelayMs) };
  }
}

async function calculateOrDelegate(
  n: bigint,
  delivery: Delivery,
  services: WorkerServices,
  options: WorkerOptions,
  log: WorkerLog,
  stop: AbortSignal,
): Promise<Settlement> {
  const { maxFactorial, curFactorial } = await services.metadata.coordination();
  log.info({ number: n, lane: delivery.lane, maxFactorial, curFactorial }, 'request received');
  if (n >= options.largeFrom) {
    await startExecution(n, services);
    return ack;
  }
  const outcome = await services.metadata.claim(n, options.owner, options);
  if (outcome.kind !== 'claimed') {
    log.info({ number: n, outcome: outcome.kind }, 'nothing to do');
    return ack;
  }
  const startedMs = performance.now();
  const budget = options.budgets[delivery.lane];
  const result = await runCalculation(outcome.claim, services, { ...options, budget }, stop);
  const seconds = (performance.now() - startedMs) / 1000;
  const fields = { number: n, attempt: outcome.claim.attempt, fence: outcome.claim.fence, seconds };
  switch (result.kind) {
    case 'done':
      log.info({ ...fields, digits: result.row.digits, checksum: result.row.checksum }, 'calculation done');
      return ack;
    case 'retry':
      log.warn({ ...fields, reason: result.reason }, 'calculation failed, will be tried again');
      return { kind: 'requeue', delayMs: backoffMs(outcome.row.failures + 1, options.retryDelayMs) };
    case 'failed':
      log.error({ ...fields, reason: result.reason }, 'calculation failed');
      return ack;
    default:
      log.info({ ...fields, outcome: result.kind }, 'calculation left');
      return ack;
  }
}

function backoffMs(tries: number, firstMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(tries - 1, 30), requeueMaxDelayMs);
}
