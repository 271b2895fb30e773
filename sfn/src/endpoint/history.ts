import type { ExecutionEvent } from '@factorial/backing';

/** One event in the shape of GetExecutionHistory. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly type: string;
  readonly [details: string]: unknown;
}

/** The steps of an execution as Step Functions tells them; steps it has no event for are left out. */
export function historyOf(events: readonly ExecutionEvent[]): HistoryEvent[] {
  const history: HistoryEvent[] = [];
  for (const event of events) {
    const told = tell(event);
    if (told === undefined) continue;
    const id = history.length + 1;
    history.push({ id, previousEventId: id - 1, timestamp: event.timestamp / 1000, ...told });
  }
  return history;
}

function tell(event: ExecutionEvent): { readonly type: string; readonly [details: string]: unknown } | undefined {
  const { type, state } = event;
  const failure = { error: event.Error, cause: causeText(event.Cause) };
  switch (type) {
    case 'ExecutionStarted':
      return { type, executionStartedEventDetails: { input: JSON.stringify(event.input) } };
    case 'ExecutionSucceeded':
      return { type, executionSucceededEventDetails: { output: JSON.stringify(event.output) } };
    case 'ExecutionFailed':
      return { type, executionFailedEventDetails: failure };
    case 'ExecutionAborted':
      return { type };
    case 'ExecutionTimeout':
      return { type: 'ExecutionTimedOut' };
    case 'StateEntered':
      return {
        type: `${state?.type}StateEntered`,
        stateEnteredEventDetails: { name: state?.name, input: JSON.stringify(state?.input) },
      };
    case 'StateExited':
      return {
        type: `${state?.type}StateExited`,
        stateExitedEventDetails: { name: state?.name, output: JSON.stringify(state?.output) },
      };
    case 'StateFailed':
      return state?.type === 'Task'
        ? { type: 'TaskFailed', taskFailedEventDetails: { resource: state.name, resourceType: 'local', ...failure } }
        : undefined;
    default:
      return undefined;
  }
}

function causeText(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' ? cause : JSON.stringify(cause);
}
