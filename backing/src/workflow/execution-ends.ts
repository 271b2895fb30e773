import type { Execution } from './workflow-engine.ts';

/** The end of an execution that was stopped. */
export function abortedExecution(name: string, cause: string): Execution {
  return { name, status: 'ABORTED', error: { name: 'ExecutionAborted', cause } };
}

/** What the handlers of an execution see as their signal's reason. */
export function abortReason(cause: string): DOMException {
  return new DOMException(cause, 'AbortError');
}

/** The end of an execution that threw. The library wraps what a state threw; a timeout of the whole execution comes bare. */
export function failedExecution(name: string, fault: unknown): Execution {
  const error = fault instanceof Error && fault.cause instanceof Error ? fault.cause : fault;
  if (!(error instanceof Error)) return { name, status: 'FAILED', error: { name: 'Error', cause: String(error) } };
  const status = error.name === 'ExecutionTimeoutError' ? 'TIMED_OUT' : 'FAILED';
  return { name, status, error: { name: error.name, cause: error.message } };
}
