import { ComputeError } from '@factorial/compute';
import type { FailureReason } from '../metadata/metadata-store.ts';

const reasonMaxLength = 500;

/** The error of a calculation as the row keeps it: its stable code, `internal` when it has none, and its message, cut. */
export function failureReason(error: unknown): FailureReason {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
  const message = error instanceof Error ? error.message : 'the calculation ended with an unknown error';
  return { code: code.slice(0, 64), message: message.slice(0, reasonMaxLength) };
}

/** Input and capacity errors will be the same next time; everything else may pass. */
export function isRetryable(error: unknown): boolean {
  return !(error instanceof ComputeError && isFinalFailure(error.code));
}

/** Whether a failure with this code will be the same at every try. */
export function isFinalFailure(code: string): boolean {
  return code === 'invalid-input' || code === 'plan-capacity';
}
