import type { Claim } from '@factorial/backing';
import type { Budget } from '@factorial/compute';
import { chooseCalculateSize, chooseVerifySize } from '../plan/choose-size.ts';
import type { ChosenSize, TaskClass } from '../plan/task-size.ts';
import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';
import {
  type ClaimPayload,
  claimOfRow,
  claimPayload,
  executionOwner,
  type PlanInput,
  parsePlanInput,
} from './payload.ts';

/** What the plan hands to the rest of the execution. */
export type PlanOutput =
  /** The row is settled, belongs to somebody else or was requested anew. */
  | { readonly class: 'none' }
  | {
      readonly class: TaskClass;
      readonly claim: ClaimPayload;
      readonly digits: string;
      readonly estimatedSeconds: number;
      readonly calculate: ChosenSize & { readonly input: { readonly claim: ClaimPayload; readonly budget: Budget } };
      readonly verify: ChosenSize & {
        readonly input: { readonly claim: ClaimPayload; readonly readbackMaxBytes: string };
      };
    };

/**
 * Claim the row for this execution and say what its calculation takes. Run again it finds the claim it made before.
 * `PlanCapacityError` when no machine can hold it: the clean-up writes that to the row, which is claimed by then.
 */
export async function planTask(input: unknown, services: TaskServices, options: TaskOptions): Promise<PlanOutput> {
  const parsed = parsePlanInput(input);
  const claim = await claimForExecution(parsed, services, options);
  if (claim === undefined) return { class: 'none' };
  const { plan, size, budget } = chooseCalculateSize(claim.n, options.sizes);
  const readbackMaxBytes = options.verifyReadbackMaxBytes;
  const payload = claimPayload(claim);
  return {
    class: size.class,
    claim: payload,
    digits: plan.digitCount,
    estimatedSeconds: plan.estimatedSeconds,
    calculate: { ...size, input: { claim: payload, budget } },
    verify: {
      ...chooseVerifySize(BigInt(plan.digitCount), readbackMaxBytes, options.sizes),
      input: { claim: payload, readbackMaxBytes: readbackMaxBytes.toString() },
    },
  };
}

async function claimForExecution(
  { n, attempt, execution }: PlanInput,
  { metadata }: TaskServices,
  options: TaskOptions,
): Promise<Claim | undefined> {
  const found = await metadata.find(n);
  if (found?.attempt !== attempt) return undefined;
  const owner = executionOwner(execution);
  const limits = { leaseMs: options.handoffLeaseMs, maxInterruptions: options.maxInterruptions };
  const outcome = await metadata.claim(n, owner, limits);
  if (outcome.kind === 'claimed' && outcome.claim.attempt !== attempt) {
    await metadata.release(outcome.claim);
    return undefined;
  }
  if (outcome.kind === 'claimed') return outcome.claim;
  if (outcome.kind !== 'leased' || outcome.row.leaseOwner !== owner) return undefined;
  // This very execution claimed it; the answer was lost.
  const claim = claimOfRow(outcome.row, owner);
  await metadata.renew(claim, options.handoffLeaseMs);
  return claim;
}
