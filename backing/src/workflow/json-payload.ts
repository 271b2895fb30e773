import { InputError } from '@factorial/compute';
import type { StateMachine } from 'aws-local-stepfunctions';
import { maxInputBytes } from './workflow-engine.ts';

/** A JSON value as the library types it. */
export type JsonValue = Parameters<StateMachine['run']>[0];

/** A copy as JSON carries it. `InputError` for what JSON cannot hold, and above the size that Step Functions carries. */
export function toJson(value: unknown): JsonValue {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'null';
  } catch (fault) {
    throw new InputError('a value that JSON can hold', (fault as Error).message, { cause: fault });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxInputBytes) {
    throw new InputError(`at most ${maxInputBytes} bytes of JSON (pass a reference)`, `${bytes} bytes`);
  }
  return JSON.parse(text) as JsonValue;
}
