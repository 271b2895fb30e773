import type { FactorialRow, MetadataStore } from '../metadata/metadata-store.ts';
import { executionName } from '../workflow/execution-name.ts';
import type { WorkflowEngine } from '../workflow/workflow-engine.ts';

export interface Cancellation {
  readonly outcome: Awaited<ReturnType<MetadataStore['cancel']>>;
  /** As it is now; undefined when n was never requested. */
  readonly row: FactorialRow | undefined;
}

/**
 * End an unfinished calculation as `failed` with code `cancelled`, and stop the workflow execution that computes it, if
 * one does. The row counts: when the execution cannot be stopped now, its next write is refused and it ends by itself.
 * Rejects with `TransientError` when the row was cancelled but the workflow could not be told.
 */
export async function cancelCalculation(
  n: bigint,
  { metadata, workflow }: { readonly metadata: MetadataStore; readonly workflow: WorkflowEngine },
): Promise<Cancellation> {
  const outcome = await metadata.cancel(n);
  const row = await metadata.find(n);
  // Only of the row as it was cancelled: requested anew, its execution has another name and stays.
  if (row?.status === 'failed' && row.error?.code === 'cancelled') {
    await workflow.stop(executionName(row), 'the calculation was cancelled on request');
  }
  return { outcome, row };
}
