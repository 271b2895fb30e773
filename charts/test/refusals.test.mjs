import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from './render.mjs';

/** What is refused, by which message: values file, replaced values, message. */
const refusals = {
  'a misspelt value': [
    'small',
    { 'worker.memroy': '1Gi' },
    /at '\/worker': additional properties 'memroy' not allowed/,
  ],
  'a misspelt value at the top': ['small', { wroker: {} }, /additional properties 'wroker' not allowed/],
  'a misspelt setting': ['small', { 'settings.MAX_NUMER': 5 }, /at '\/settings': additional properties 'MAX_NUMER'/],
  'a misspelt secret': ['external-servers', { 'secrets.DATABASE_URI': 'x' }, /additional properties 'DATABASE_URI'/],
  'a setting out of range': ['small', { 'settings.LONG_CONCURRENCY': 99 }, /at '\/settings\/LONG_CONCURRENCY'/],
  'a setting of a wrong type': ['small', { 'settings.LEASE_SECONDS': 'long' }, /at '\/settings\/LEASE_SECONDS'/],
  'a setting not among its choices': ['small', { 'settings.LOG_LEVEL': 'loud' }, /at '\/settings\/LOG_LEVEL'/],
  'a size that is none': ['small', { 'settings.OBJECTS_MAX_BYTES': '5 apples' }, /at '\/settings\/OBJECTS_MAX_BYTES'/],
  'memory in an unknown unit': ['small', { 'worker.memory': '2G' }, /at '\/worker\/memory'/],
  'memory too small': [
    'small',
    { 'worker.memory': '128Mi' },
    /worker\.memory: 128Mi cannot work: .*Expected at least \d+Mi/,
  ],
  'more calculations than memory for them': [
    'small',
    { 'settings.QUICK_CONCURRENCY': 8 },
    /worker\.memory: 512Mi cannot work: .*fewer calculations at once/,
  ],
  'more cores than memory for their threads': [
    'small',
    { 'worker.cpu': 64 },
    /worker\.memory: 512Mi cannot work: .*64 cores' threads 780Mi/,
  ],
  'a setting that follows from memory': [
    'small',
    { 'settings.COMPUTE_MEMORY_BYTES': '1GiB' },
    /settings\.COMPUTE_MEMORY_BYTES: expected not to be set here, it follows from worker\.memory/,
  ],
  'a setting that follows from the port': ['small', { 'settings.PORT': 80 }, /settings\.PORT: .* set api\.port/],
  'a secret in the ConfigMap': [
    'bare',
    { 'settings.DATABASE_URL': 'postgres://x' },
    /settings\.DATABASE_URL: expected under secrets or in existingSecret/,
  ],
  'both kinds of Secret': [
    'small',
    { existingSecret: 'other' },
    /existingSecret: expected either existingSecret or secrets, got both/,
  ],
  'a value taken away': ['small', { api: null }, /missing property 'api'/],
  'no database': [
    'production',
    { existingSecret: '' },
    /secrets\.DATABASE_URL: .* pods cannot share the embedded SQLite/,
  ],
  'no broker': ['small', { 'rabbitmq.enabled': false }, /secrets\.AMQP_URL: .*rabbitmq\.enabled/],
  'two brokers': ['bare', { 'rabbitmq.enabled': true }, /rabbitmq\.enabled: expected either .* got both/],
  'two caches': ['external-servers', { 'redis.host': 'valkey' }, /redis\.host: expected either .* got both/],
  'a password Secret without key': [
    'placed',
    { 'redis.passwordSecret.key': '' },
    /redis\.passwordSecret\.key: expected the key/,
  ],
  'no bucket': ['small', { 'settings.S3_BUCKET': '' }, /settings\.S3_BUCKET: .* pods share no disk/],
  'an even number of broker nodes': ['small', { 'rabbitmq.replicas': 2 }, /at '\/rabbitmq\/replicas'/],
  'an API that scales from more to fewer': [
    'production',
    { 'api.autoscaling.minReplicas': 30 },
    /api\.autoscaling: expected minReplicas of at most maxReplicas \(20\), got 30/,
  ],
  'a worker that scales from more to fewer': [
    'production',
    { 'worker.autoscaling.minReplicas': 31 },
    /worker\.autoscaling: expected minReplicas of at most maxReplicas \(30\), got 31/,
  ],
  'a scale of nothing': [
    'production',
    { 'worker.autoscaling.messagesPerReplica': { large: 0 } },
    /at '\/worker\/autoscaling\/messagesPerReplica\/large'/,
  ],
  'an ingress without host': ['production', { 'api.ingress.hosts': [] }, /api\.ingress\.hosts: expected at least one/],
  'heartbeats slower than half a lease': [
    'small',
    { 'settings.LEASE_SECONDS': 10, 'settings.HEARTBEAT_SECONDS': 6 },
    /settings\.HEARTBEAT_SECONDS: expected at most half of LEASE_SECONDS \(10\), got 6/,
  ],
  'a privileged port': ['small', { 'api.port': 80 }, /at '\/api\/port'/],
  'a digest that is none': ['small', { 'image.digest': 'latest' }, /at '\/image\/digest'/],
};

for (const [what, [values, set, message]] of Object.entries(refusals)) {
  test(`${what} is refused, and the message says why`, () => {
    assert.match(refusal(values, set).replaceAll('\n', ' '), message);
  });
}
