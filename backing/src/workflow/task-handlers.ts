import { InputError } from '@factorial/compute';

/** What a handler knows beside its input. */
export interface TaskContext {
  readonly executionName: string;
  /** Aborts when the execution is stopped, timed out or over: stop working. */
  readonly signal: AbortSignal;
}

/** Does the work of one task state in this process: JSON in, JSON out. A thrown error's `name` is what Retry and Catch match. */
export type TaskHandler = (input: unknown, context: TaskContext) => Promise<unknown>;

/** A state machine in Amazon States Language (JSONPath), as parsed from its file; checked when the first execution starts. */
export interface WorkflowDefinition {
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, unknown>>;
}

/** The fields of a state that lead to task states. */
interface StateShape {
  readonly Type?: string;
  readonly Resource?: string;
  readonly Iterator?: WorkflowDefinition;
  readonly ItemProcessor?: WorkflowDefinition;
  readonly Branches?: readonly WorkflowDefinition[];
}

/** The handler of each task state, by state name, nested ones included. `InputError` names a resource without handler. */
export function handlersByState(
  definition: WorkflowDefinition,
  handlers: Readonly<Record<string, TaskHandler>>,
): ReadonlyMap<string, TaskHandler> {
  const byState = new Map<string, TaskHandler>();
  for (const [name, state] of taskStates(definition)) {
    const resource = state.Resource ?? '';
    const handler = handlers[resource];
    if (!handler) {
      throw new InputError(`a handler for the resource of state ${name}`, `none for ${JSON.stringify(resource)}`);
    }
    byState.set(name, handler);
  }
  return byState;
}

function* taskStates(definition: WorkflowDefinition): Generator<readonly [string, StateShape]> {
  for (const [name, value] of Object.entries(definition.States)) {
    const state = value as StateShape;
    if (state.Type === 'Task') yield [name, state];
    const nested = [state.Iterator, state.ItemProcessor, ...(state.Branches ?? [])];
    for (const inner of nested) if (inner) yield* taskStates(inner);
  }
}
