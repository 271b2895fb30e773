import { engineNames } from '@factorial/compute';

import {
  choice,
  exactNumber,
  flag,
  integer,
  list,
  optional,
  type Setting,
  seconds,
  secret,
  size,
  text,
  url,
} from './setting-kinds.ts';

/** n is stored in a signed 64-bit column. */
const maxInt64 = 2n ** 63n - 1n;

/** Every setting of the service by environment variable; units are in the names. The order is that of `.env.example`. */
export const settingDefinitions = {
  HOST: text(
    'Address to listen on; 0.0.0.0 or :: for all.',
    'an IP address or host name',
    /^[A-Za-z0-9:.-]{1,253}$/,
    '127.0.0.1',
  ),
  PORT: integer('Port to listen on; 0 takes a free one.', 0, 65_535, 3000),
  DATA_DIR: text('Folder of all state of the embedded services.', 'a path', /^[^\0]{1,4096}$/, './data'),
  LOG_LEVEL: choice('Least severe log line to write.', ['fatal', 'error', 'warn', 'info', 'debug', 'silent'], 'info'),
  WORKER_HEALTH_PORT: optional(
    integer('Port of /healthz, /readyz and /metrics of a worker that runs alone; left out: none.', 0, 65_535, 0),
  ),
  DRAIN_SECONDS: seconds('How long a shutdown waits for running requests and short calculations.', 0, 3600, 10),

  DATABASE_URL: optional(
    secret(
      url(
        'Database of the metadata, shared by all processes; left out: SQLite in DATA_DIR.',
        'a URL such as postgres://user:password@host:5432/factorial or mysql://…',
        ['postgres:', 'postgresql:', 'mysql:', 'mariadb:'],
      ),
    ),
  ),
  DATABASE_CA_FILE: optional(
    text(
      "Authorities that the database's certificate and host name are checked against; left out: those that Node trusts. Turns TLS on.",
      'the path of a PEM file, or rds for those of Amazon RDS',
      /^[^\0]{1,4096}$/,
      '',
    ),
  ),
  DATABASE_POOL_MAX: integer('Connections to the database per process.', 1, 1000, 10),
  DATABASE_STATEMENT_TIMEOUT_SECONDS: seconds('Bound on one statement of the database.', 0.1, 3600, 10),
  REDIS_URL: optional(
    secret(
      url(
        'Cache of small results, shared by all processes; left out: each process keeps its own.',
        'a URL such as redis://:password@host:6379 or rediss://…',
        ['redis:', 'rediss:'],
      ),
    ),
  ),
  AMQP_URL: optional(
    secret(
      url(
        'Broker of the requests, shared by all processes; left out: the queue is in this process.',
        'a URL such as amqp://user:password@host:5672/vhost or amqps://…',
        ['amqp:', 'amqps:'],
      ),
    ),
  ),
  AMQP_EXCHANGE: text(
    'Name of the topic exchange, and the beginning of every name of a queue.',
    'letters, digits, dots, dashes and underscores',
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'factorial',
  ),
  S3_BUCKET: optional(
    text(
      'Bucket of the results; left out: files in DATA_DIR.',
      'the name of a bucket',
      /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/,
      '',
    ),
  ),
  S3_REGION: optional(
    text(
      "Region of the bucket; left out: the environment's or profile's (AWS_REGION).",
      'a region such as eu-central-1',
      /^[A-Za-z0-9-]{1,64}$/,
      '',
    ),
  ),
  S3_ENDPOINT: optional(
    url('S3 server other than that of AWS.', 'a URL such as https://host:9000', ['http:', 'https:']),
  ),
  S3_FORCE_PATH_STYLE: optional(
    flag('The bucket in the path, not in the host name; by default true where S3_ENDPOINT is set.', false),
  ),
  S3_PREFIX: text(
    'Before the key of every object.',
    'up to four names, each followed by a slash, such as factorial/',
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,127}\/){0,4}$/,
    '',
  ),
  S3_SERVER_SIDE_ENCRYPTION: optional(
    choice("Encryption asked for with every object; left out: the bucket's own.", ['AES256', 'aws:kms'], 'AES256'),
  ),
  S3_KMS_KEY_ID: optional(
    text(
      "Key of aws:kms; left out: the account's default key.",
      'a key id, alias or ARN',
      /^[A-Za-z0-9:/_-]{1,2048}$/,
      '',
    ),
  ),
  STATE_MACHINE_ARN: optional(
    text(
      'State machine that computes large n; left out: it runs in the worker.',
      'an ARN such as arn:aws:states:eu-central-1:123456789012:stateMachine:Factorial',
      /^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_-]{1,80}$/,
      '',
    ),
  ),
  SFN_ENDPOINT: optional(
    url('Step Functions server other than that of AWS.', 'a URL such as https://host:8083', ['http:', 'https:']),
  ),
  WORKFLOW_PORT: integer('Port of the Step Functions server that npm run start:workflow is.', 0, 65_535, 8083),
  UPLOAD_PARTS_IN_FLIGHT: integer('Parts of one upload under way at once; each is held in memory.', 1, 64, 2),
  PRESIGN_MIN_BYTES: optional(
    size(
      'Results from this size are answered with a redirect to a short-lived URL of the bucket; left out: never.',
      '0B',
      '1PiB',
      '1GiB',
    ),
  ),
  PRESIGN_TTL_SECONDS: integer('Life of such a URL.', 1, 604_800, 300),

  ENGINE: choice('Engine for calculations; auto lets the plan choose.', ['auto', ...engineNames], 'auto'),
  THREADS: optional(
    integer('Compute threads of one long calculation; by default as many as the machine runs at once.', 1, 256, 1),
  ),
  IDLE_THREADS_SECONDS: seconds(
    'Threads of a calculation that took at most 32 MiB wait so long for the next one, with their memory; 0 = they end with it.',
    0,
    3600,
    10,
  ),
  COMPUTE_MEMORY_BYTES: optional(
    size(
      'Memory for all calculations together; by default half of what the machine or container allows.',
      '64MiB',
      '1PiB',
      '1GiB',
    ),
  ),
  COMPUTE_SCRATCH_BYTES: size(
    'Disk for calculations that do not fit into memory, all together; 0 = none.',
    '0B',
    '1PiB',
    '0B',
  ),
  SCRATCH_DIR: optional(
    text('Folder of scratch files; by default scratch in DATA_DIR.', 'a path', /^[^\0]{1,4096}$/, ''),
  ),
  CHECKPOINT_FROM_SECONDS: seconds(
    'Calculations with scratch files that are estimated to take longer keep what is finished there, to go on after a restart.',
    0,
    86_400,
    60,
  ),
  MAX_NUMBER: exactNumber('Largest n that may be requested.', 0n, maxInt64, 100_000_000n),
  LARGE_FROM: exactNumber('From this n on a calculation runs as a workflow execution.', 1n, maxInt64, 1_000_000_000n),
  TINY_MAX_NUMBER: exactNumber('Up to this n a GET is answered at once, without being stored.', 0n, 5_000n, 1_000n),
  QUICK_MAX_SECONDS: seconds('Calculations estimated to take longer go to the long lane.', 0, 3600, 2),
  QUICK_CONCURRENCY: integer('Calculations of the quick lane at once.', 1, 64, 2),
  LONG_CONCURRENCY: integer('Calculations of the long lane at once; they share the compute memory.', 1, 16, 1),
  LARGE_CONCURRENCY: integer('Workflow executions at once in the local workflow engine.', 1, 16, 1),
  LARGE_FUNCTION_MAX_SECONDS: seconds(
    'Calculations of a workflow estimated to take longer run in a container, not in a function.',
    0,
    300,
    300,
  ),

  QUEUE_MAX_MESSAGES: integer(
    'Messages waiting per lane; more wait as rows until the sweep finds them.',
    1,
    1_000_000,
    10_000,
  ),
  DELIVERIES_MAX: integer('Deliveries of one message before it is dead-lettered.', 1, 100, 20),
  DEAD_LETTERS_MAX: integer('Dead letters kept for inspection.', 0, 10_000, 100),
  ACK_AFTER_DONE_MAX_SECONDS: seconds(
    'Requests estimated to take longer are acknowledged when they are claimed, not when they are done; the lease then owns them.',
    0,
    1_500,
    300,
  ),
  LEASE_SECONDS: seconds('A worker that is silent this long loses its calculation to another.', 1, 3600, 30),
  HEARTBEAT_SECONDS: seconds('How often a worker renews its lease and writes progress.', 0.1, 600, 1),
  SWEEP_INTERVAL_SECONDS: seconds('How often unclaimed and abandoned calculations are looked for.', 0.1, 3600, 5),
  FAILURES_MAX: integer('Failed tries of one request before it is failed for good.', 1, 100, 3),
  INTERRUPTIONS_MAX: integer(
    'Lost leases (killed workers) of one request before it is failed for good.',
    1,
    10_000,
    100,
  ),
  RETRY_DELAY_SECONDS: seconds('Wait before a failed try is repeated; doubled each time.', 0, 600, 1),

  CACHE_MAX_BYTES: size('Memory for popular small results.', '0B', '1TiB', '64MiB'),
  CACHE_MAX_VALUE_BYTES: size('Largest result kept in the cache.', '0B', '512MiB', '1MiB'),
  OBJECTS_MAX_BYTES: size(
    'Bytes of stored results; when they are reached, requests are answered 507.',
    '1B',
    '1PiB',
    '100GiB',
  ),
  UNFINISHED_UPLOAD_MAX_AGE_SECONDS: seconds(
    'Unfinished writes and unreferenced objects older than this are swept.',
    60,
    2_592_000,
    86_400,
  ),
  VERIFY_READBACK_MAX_BYTES: size(
    'Stored results up to this size are read back and hashed before they are published.',
    '0B',
    '1PiB',
    '1GiB',
  ),

  BODY_MAX_BYTES: size('Largest request body.', '64B', '1MiB', '4KiB'),
  JSON_MAX_DIGITS: integer('Largest result that is answered as JSON.', 1, 10_000_000, 1_000_000),
  RATE_LIMIT_PER_MINUTE: integer('Requests per client and minute; 0 = no limit.', 0, 1_000_000, 6000),
  UNFINISHED_MAX_PER_CLIENT: integer('Unfinished calculations per client.', 1, 1_000_000, 100),
  API_KEYS: secret(
    list(
      'Comma-separated keys that POST and DELETE require as a bearer token; empty = open. sha256:… stands for a key by its hash.',
      /^[\x21-\x2b\x2d-\x7e]{16,256}$/,
      'keys of 16 to 256 visible ASCII characters, separated by commas',
    ),
  ),
  TRUSTED_PROXIES: list(
    'Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed; empty = none.',
    /^[0-9a-fA-F:.]{2,45}(\/[0-9]{1,3})?$/,
    'IP addresses or CIDR networks, separated by commas',
  ),
  REQUEST_TIMEOUT_SECONDS: seconds('A request must have arrived whole within this time.', 0.1, 600, 30),
  CONNECTIONS_MAX: integer('Connections open at once; more are dropped.', 1, 1_000_000, 5_000),
  CONNECTION_IDLE_SECONDS: seconds('A connection on which nothing moved for this long is cut.', 20, 86_400, 120),
  RETRY_AFTER_MAX_SECONDS: integer('Longest wait that a Retry-After header asks for.', 1, 86_400, 60),
  LIST_MAX_LIMIT: integer('Most results on one page of the list.', 1, 1000, 100),
  EVENTS_MAX_CONNECTIONS: integer('Open event streams, all clients together.', 0, 100_000, 200),
  READINESS_TIMEOUT_SECONDS: seconds('Bound on one check of /readyz.', 0.05, 60, 2),
} as const;

type Definitions = typeof settingDefinitions;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** The validated settings by variable name. */
export type Settings = { readonly [K in keyof Definitions]: ValueOf<Definitions[K]> };

/** One or more settings are wrong: nothing was started. Names each variable, what was expected and what was got. */
export class SettingsError extends Error {
  readonly code = 'invalid-settings';

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'a setting is' : `${problems.length} settings are`} wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

const shownMaxLength = 80;

function shown(definition: Setting<unknown>, value: string): string {
  if (definition.secret) return 'a value that is not shown';
  return JSON.stringify(value.length > shownMaxLength ? `${value.slice(0, shownMaxLength)}…` : value);
}

/** The settings from an environment; a variable that is unset or empty takes its default. Throws `SettingsError`. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, definition] of Object.entries<Setting<unknown>>(settingDefinitions)) {
    const given = environment[name];
    const source = given === undefined || given === '' ? definition.fallback : given;
    if (source === undefined) continue;
    const value = definition.parse(source);
    if (value === undefined)
      problems.push(`${name}: expected ${definition.expected}, got ${shown(definition, source)}`);
    else values[name] = value;
  }
  const settings = values as Settings;
  if (problems.length === 0) problems.push(...contradictions(settings));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(settings);
}

/** Values that are each valid but cannot work together. */
function contradictions(settings: Settings): string[] {
  const problems: string[] = [];
  if (settings.HEARTBEAT_SECONDS * 2 > settings.LEASE_SECONDS) {
    problems.push(
      `HEARTBEAT_SECONDS: expected at most half of LEASE_SECONDS (${settings.LEASE_SECONDS}), got ${settings.HEARTBEAT_SECONDS}`,
    );
  }
  if (settings.CACHE_MAX_VALUE_BYTES > settings.CACHE_MAX_BYTES) {
    problems.push(
      `CACHE_MAX_VALUE_BYTES: expected at most CACHE_MAX_BYTES (${settings.CACHE_MAX_BYTES}), got ${settings.CACHE_MAX_VALUE_BYTES}`,
    );
  }
  for (const name of ['S3_ENDPOINT', 'S3_SERVER_SIDE_ENCRYPTION', 'S3_KMS_KEY_ID', 'PRESIGN_MIN_BYTES'] as const) {
    if (settings[name] !== undefined && settings.S3_BUCKET === undefined) {
      problems.push(`S3_BUCKET: expected the name of a bucket beside ${name}, got none`);
    }
  }
  if (settings.SFN_ENDPOINT !== undefined && settings.STATE_MACHINE_ARN === undefined) {
    problems.push('STATE_MACHINE_ARN: expected the ARN of a state machine beside SFN_ENDPOINT, got none');
  }
  if (settings.S3_KMS_KEY_ID !== undefined && settings.S3_SERVER_SIDE_ENCRYPTION !== 'aws:kms') {
    const got = settings.S3_SERVER_SIDE_ENCRYPTION ?? 'none';
    problems.push(`S3_SERVER_SIDE_ENCRYPTION: expected aws:kms beside S3_KMS_KEY_ID, got ${got}`);
  }
  return problems;
}
