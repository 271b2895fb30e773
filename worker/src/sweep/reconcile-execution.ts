import { type Execution, executionName, type FactorialRow, type FailureReason } from '@factorial/backing';
import type { WorkerOptions, WorkerServices } from '../options.ts';

/**
 * What a row that nobody holds needs: `start` when its execution does not exist yet, `wait` while it runs (its tasks own
 * the row), `settled` when the execution was over and this call did what it left undone.
 */
export type Reconciliation = 'start' | 'wait' | 'settled';

/**
 * Compare an unfinished, unheld large row with its workflow execution. One that is over without having settled the row
 * (it was stopped, ran out of time, or its clean-up failed too) counts as a failed try: the next sweep starts the next
 * one, under its new name, until the tries are used up. One that was stopped by hand fails the row at once: whoever
 * stopped it did not want it started again.
 */
export async function reconcileExecution(
  row: FactorialRow,
  { metadata, workflow, objects }: Pick<WorkerServices, 'metadata' | 'workflow' | 'objects'>,
  options: WorkerOptions,
): Promise<Reconciliation> {
  const execution = await workflow.describe(executionName(row));
  if (execution === undefined) return 'start';
  if (execution.status === 'RUNNING') return 'wait';
  const outcome = await metadata.claim(row.n, options.owner, options);
  // Settled or taken since: somebody else did this.
  if (outcome.kind !== 'claimed') return 'settled';
  const { claim } = outcome;
  if (claim.fence !== row.fence + 1n || outcome.row.failures !== row.failures) {
    // Somebody settled that execution between the two looks: this is another try already.
    await metadata.release(claim);
    return 'settled';
  }
  const retryable = execution.status !== 'ABORTED';
  await metadata.fail(claim, reasonOf(execution), { retryable, maxFailures: options.maxFailures });
  await objects.remove(row.objectKey);
  return 'settled';
}

function reasonOf({ name, status, error }: Execution): FailureReason {
  const why = error === undefined ? '' : `: ${[error.name, error.cause].filter(Boolean).join(', ')}`;
  const message = `the workflow execution ${name} ended as ${status} without a result${why}`;
  return { code: status === 'ABORTED' ? 'execution-stopped' : 'execution-failed', message };
}
