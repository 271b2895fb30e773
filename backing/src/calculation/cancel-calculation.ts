import { TransientError } from '../contracts/errors.ts';
import type { FactorialRow, MetadataStore } from '../metadata/metadata-store.ts';
import { executionName } from '../workflow/execution-name.ts';
import type { WorkflowEngine } from '../workflow/workflow-engine.ts';

export interface Cancellation {
  readonly outcome: Awaited<ReturnType<MetadataStore['cancel']>>;
  /** As it is now; undefined when n was never requested. */
  readonly row: FactorialRow | undefined;
  /** Why the execution could not be told to stop; it ends by itself when its next write is refused. */
  readonly stopFault?: TransientError;
}

export interface CancellationServices {
  readonly metadata: MetadataStore;
  /** Left out where executions run in the workers themselves, which notice at their next heartbeat. */
  readonly workflow?: WorkflowEngine | undefined;
}

/**
 * End an unfinished calculation as `failed` with code `cancelled`, and stop the workflow execution that computes it, if
 * one does. The row counts: once it is cancelled, the digits of a run still under way are never published.
 */
export async function cancelCalculation(
  n: bigint,
  { metadata, workflow }: CancellationServices,
): Promise<Cancellation> {
  const outcome = await metadata.cancel(n);
  const row = await metadata.find(n);
  // Only of the row as it was cancelled: requested anew, its execution has another name and stays.
  if (workflow === undefined || row?.status !== 'failed' || row.error?.code !== 'cancelled') return { outcome, row };
  try {
    await workflow.stop(executionName(row), 'the calculation was cancelled on request');
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    return { outcome, row, stopFault: error };
  }
  return { outcome, row };
}
