import type { Node } from 'constructs';

export type DatabaseKind = 'postgres' | 'mysql';

/** What a deployment chooses; from the context of the CDK app (`-c image=…`). */
export interface StackOptions {
  /** Image of the service, the same as the worker's. */
  readonly image: string;
  readonly database: DatabaseKind;
  /** Days that logs are kept. */
  readonly logRetentionDays: number;
  /** Address that alarms are sent to; none when empty. */
  readonly alarmEmail: string;
  /** Stored results up to this size are read back before they are published. */
  readonly verifyReadbackMaxBytes: string;
  /** Secret whose text is the `AMQP_URL` that outcomes are announced to; none when empty. */
  readonly brokerUrlSecretArn: string;
}

const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365];

/** The options from the context, with defaults; a wrong one is refused by name. */
export function readStackOptions(node: Node): StackOptions {
  const text = (name: string, fallback: string, pattern: RegExp): string => {
    const value: unknown = node.tryGetContext(name) ?? fallback;
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw new Error(`context ${name}: expected a value matching ${pattern.source}, got ${JSON.stringify(value)}`);
  };
  const logRetentionDays = Number(text('logRetentionDays', '30', /^[0-9]{1,3}$/));
  if (!retentionDays.includes(logRetentionDays)) {
    throw new Error(`context logRetentionDays: expected one of ${retentionDays.join(', ')}, got ${logRetentionDays}`);
  }
  return Object.freeze({
    image: text('image', 'factorial:latest', /^[\w./:@-]{1,255}$/),
    database: text('database', 'postgres', /^(postgres|mysql)$/) as DatabaseKind,
    logRetentionDays,
    alarmEmail: text('alarmEmail', '', /^$|^[^@\s]+@[^@\s]+$/),
    brokerUrlSecretArn: text(
      'brokerUrlSecretArn',
      '',
      /^$|^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,512}$/,
    ),
    verifyReadbackMaxBytes: text('verifyReadbackMaxBytes', '1GiB', /^[0-9]+(B|KiB|MiB|GiB|TiB)?$/),
  });
}
