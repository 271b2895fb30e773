import { type ExecutionInput, executionName } from '@factorial/backing';
import type { WorkerServices } from '../options.ts';

/** Start the workflow execution of an unfinished row; rows that are settled or gone need none. */
export async function startExecution(
  n: bigint,
  { metadata, workflow }: Pick<WorkerServices, 'metadata' | 'workflow'>,
): Promise<void> {
  const row = await metadata.find(n);
  if (row === undefined || row.status === 'done' || row.status === 'failed') return;
  const input: ExecutionInput = { number: n.toString(), attempt: row.attempt };
  await workflow.start(executionName(row), input);
}
