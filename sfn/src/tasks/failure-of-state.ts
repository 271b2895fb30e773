import type { FailureReason } from '@factorial/backing';

/** Codes of the errors this project throws, by the name that a state machine sees. */
const codesByName: Readonly<Record<string, string>> = {
  InputError: 'invalid-input',
  PlanCapacityError: 'plan-capacity',
  KernelError: 'kernel-failed',
  SourceError: 'source-unreadable',
  CorruptObjectError: 'corrupt-object',
  CapacityError: 'capacity',
  TransientError: 'transient',
  PoisonMessageError: 'invalid-input',
  'States.Timeout': 'timed-out',
  'States.TaskFailed': 'task-lost',
  TaskTimeoutError: 'timed-out',
  'Lambda.Unknown': 'task-lost',
  'Runtime.ExitError': 'task-lost',
};

/**
 * The error a state ended with, as the row keeps it. The cause is text, or JSON from a function (`errorMessage`) or from a
 * container (`StoppedReason`, exit codes).
 */
export function failureOfState({ name, cause }: { readonly name: string; readonly cause: string }): FailureReason {
  return { code: codesByName[name] ?? 'internal', message: messageOf(cause) || `the task ended with ${name}` };
}

function messageOf(cause: string): string {
  const parsed = parse(cause);
  if (parsed === undefined) return cause;
  if (typeof parsed.errorMessage === 'string') return parsed.errorMessage;
  if (typeof parsed.StoppedReason !== 'string') return cause;
  const ends = (Array.isArray(parsed.Containers) ? parsed.Containers : []).map(
    ({ ExitCode, Reason }: { ExitCode?: number; Reason?: string }) =>
      [ExitCode === undefined ? undefined : `exit code ${ExitCode}`, Reason].filter(Boolean).join(', '),
  );
  return [`the container stopped: ${parsed.StoppedReason}`, ...ends].filter(Boolean).join('; ');
}

interface Cause {
  readonly errorMessage?: unknown;
  readonly StoppedReason?: unknown;
  readonly Containers?: unknown;
}

function parse(cause: string): Cause | undefined {
  if (!cause.startsWith('{')) return undefined;
  try {
    return JSON.parse(cause) as Cause;
  } catch (error) {
    // Step Functions cuts long causes: what is left is text.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
