import type { FactorialRow } from '../metadata/metadata-store.ts';

/** What a workflow execution is given: a reference, never digits. */
export interface ExecutionInput {
  readonly number: string;
  readonly attempt: number;
}

/**
 * Name of the execution that computes a row now. It changes only when an earlier one ended without a result (a new
 * attempt, a failure, a lost lease), so that starting it again for the same try is a no-op. At most 80 characters.
 */
export function executionName(row: Pick<FactorialRow, 'n' | 'attempt' | 'failures' | 'interruptions'>): string {
  return `factorial-${row.n}-${row.attempt}-${row.failures + row.interruptions}`;
}
