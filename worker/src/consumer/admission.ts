import type { CalculationRequest, Lane, Settlement, StoredStart } from '@factorial/backing';
import type { FactorialPlan } from '@factorial/compute';
import type { ConsumerContext } from './consumer-context.ts';
import { takeMemoryTurn } from './memory-turn.ts';
import { ack } from './settlements.ts';

/** Longest that a delivery waits here for a place in its lane; then it goes back into the queue, where idle workers find it. */
const placeWaitMs = 10_000;

export type Admission =
  /** The run may start. `leave` gives back its place and its memory; called once. */
  | { readonly kind: 'admitted'; leave(): Promise<void> }
  /** It may not, and its message is to be settled like this. */
  | { readonly kind: 'settled'; readonly settlement: Settlement };

/** A place in the lane, then memory and scratch beside the other runs of this process. A plan that does not fit at all needs neither to fail. */
export async function admitRun(
  request: CalculationRequest,
  plan: FactorialPlan | undefined,
  start: StoredStart | undefined,
  lane: Lane,
  context: ConsumerContext,
): Promise<Admission> {
  const place = await context.runs.enter(lane, placeWaitMs, context.drain);
  if (place === undefined) {
    return settledAs(context.drain.aborted ? { kind: 'requeue', delayMs: 0 } : await handOn(request, lane, context));
  }
  if (plan === undefined) return { kind: 'admitted', leave: async () => place.leave() };
  try {
    const turn = await takeMemoryTurn(request, enoughFor(plan, start), lane, context);
    if (turn.kind === 'granted') {
      const leave = async (): Promise<void> => {
        await turn.share[Symbol.asyncDispose]();
        place.leave();
      };
      return { kind: 'admitted', leave };
    }
    place.leave();
    if (turn.kind === 'overdue') return settledAs(await handOn(request, lane, context));
    return settledAs(turn.kind === 'stopped' ? { kind: 'requeue', delayMs: 0 } : ack);
  } catch (error) {
    place.leave();
    throw error;
  }
}

/** The plan with what both ways take at most: a start from a stored result may turn into one afresh. */
function enoughFor(plan: FactorialPlan, start: StoredStart | undefined): FactorialPlan {
  if (start === undefined) return plan;
  const memoryBytes = Math.max(plan.memoryBytes, start.plan.memoryBytes);
  return { ...plan, memoryBytes, scratchBytes: Math.max(plan.scratchBytes, start.plan.scratchBytes) };
}

function settledAs(settlement: Settlement): Admission {
  return { kind: 'settled', settlement };
}

/** Handed on, not requeued: waiting for a busy worker is no failed delivery. */
export async function handOn(
  request: CalculationRequest,
  lane: Lane,
  { services }: Pick<ConsumerContext, 'services'>,
): Promise<Settlement> {
  await services.queue.publish(lane, request);
  return ack;
}
