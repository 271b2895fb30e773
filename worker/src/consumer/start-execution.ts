import type { FactorialRow } from '@factorial/backing';
import type { WorkerServices } from '../options.ts';

/** What a workflow execution is given: a reference, never digits. */
export interface ExecutionInput {
  readonly number: string;
  readonly attempt: number;
}

/**
 * Name of the execution that computes a row now. It changes only when an earlier one ended without a result (a new
 * attempt, a failure, a lost lease), so that starting it again for the same try is a no-op. At most 80 characters.
 */
export function executionName(row: FactorialRow): string {
  return `factorial-${row.n}-${row.attempt}-${row.failures + row.interruptions}`;
}

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
