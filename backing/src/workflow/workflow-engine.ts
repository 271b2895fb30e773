/** Names of executions, as Step Functions takes them. */
export const executionNamePattern = /^[A-Za-z0-9_-]{1,80}$/;

/** Largest input or output of a state, in bytes of JSON: the payload limit of Step Functions. */
export const maxInputBytes = 262_144;

/** State of one execution, in the words of Step Functions. */
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Result of a succeeded execution. */
  readonly output?: unknown;
  /** Error name and cause of an execution that ended otherwise. */
  readonly error?: { readonly name: string; readonly cause: string };
}

/** Runs the state machine that computes large factorials. */
export interface WorkflowEngine {
  /**
   * Start an execution; starting a name that exists already, finished ones included, is a no-op. Input is a small JSON value
   * (references only, at most `maxInputBytes`). `InputError` for a wrong name or input, `CapacityError` when too many wait,
   * `TransientError` when unreachable.
   */
  start(name: string, input: unknown): Promise<void>;
  describe(name: string): Promise<Execution | undefined>;
  /** Stop a running execution; a finished or unknown one is left alone. */
  stop(name: string, cause: string): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
