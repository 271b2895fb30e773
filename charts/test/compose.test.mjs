import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { commandProblem } from './commands.mjs';
import { projectRoot } from './paths.mjs';
import { settingsModule, settingsTable } from './settings-table.mjs';

const compose = parse(readFileSync(join(projectRoot, 'compose.yaml'), 'utf8'), { merge: true });
const ours = Object.entries(compose.services).filter(([, service]) => service.build !== undefined);
const theirs = Object.entries(compose.services).filter(([, service]) => service.build === undefined);
/** `${NAME:-default}` is replaced by its default, as compose does with an empty environment. */
const interpolate = (text) => String(text).replaceAll(/\$\{[A-Z0-9_]+:-([^}]*)\}/g, '$1');
const environmentOf = (service) =>
  Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, interpolate(value)]));

test('API, worker and migration run from the one image, by commands that are in the tree', () => {
  const commands = Object.fromEntries(ours.map(([name, { command }]) => [name, command]));
  assert.deepEqual(Object.keys(commands).sort(), ['api', 'bucket', 'migrate', 'worker', 'workflow']);
  for (const [name, command] of Object.entries(commands)) assert.equal(commandProblem(command), undefined, name);
  for (const [name, service] of ours) assert.equal(service.image, compose.services.api.image, name);
});

test('the service accepts the environment that compose gives it, and knows all of it', async () => {
  const table = await settingsTable();
  const { readSettings } = await settingsModule();
  const foreign = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'NODE_OPTIONS'];
  for (const [name, service] of ours) {
    const environment = environmentOf(service);
    for (const variable of Object.keys(environment)) {
      assert.ok(Object.hasOwn(table, variable) || foreign.includes(variable), `${name}: ${variable}`);
    }
    assert.doesNotThrow(() => readSettings(environment), name);
  }
});

test('every address of a backing service is one of the services, on its own port', () => {
  const { DATABASE_URL, AMQP_URL, REDIS_URL, S3_ENDPOINT } = environmentOf(compose.services.api);
  for (const [address, port] of [
    [DATABASE_URL, '5432'],
    [AMQP_URL, '5672'],
    [REDIS_URL, '6379'],
    [S3_ENDPOINT, '7070'],
  ]) {
    const url = new URL(address);
    assert.ok(
      theirs.some(([name]) => name === url.hostname),
      address,
    );
    assert.equal(url.port, port);
  }
});

test('API and worker find the state machine at the service that runs it', () => {
  const { SFN_ENDPOINT, STATE_MACHINE_ARN } = environmentOf(compose.services.worker);
  const { hostname, port } = new URL(SFN_ENDPOINT);
  assert.equal(hostname, 'workflow');
  const environment = environmentOf(compose.services.workflow);
  assert.equal(environment.WORKFLOW_PORT, port);
  assert.equal(environment.STATE_MACHINE_ARN, STATE_MACHINE_ARN);
});

test('passwords of the service are those of the servers', () => {
  const { postgres, rabbitmq, s3, api } = compose.services;
  const environment = environmentOf(api);
  const database = new URL(environment.DATABASE_URL);
  const servers = { ...environmentOf(postgres), ...environmentOf(rabbitmq), ...environmentOf(s3) };
  assert.equal(database.username, servers.POSTGRES_USER);
  assert.equal(database.password, servers.POSTGRES_PASSWORD);
  assert.equal(database.pathname, `/${servers.POSTGRES_DB}`);
  assert.equal(new URL(environment.AMQP_URL).password, servers.RABBITMQ_DEFAULT_PASS);
  assert.equal(environment.AWS_ACCESS_KEY_ID, servers.ROOT_ACCESS_KEY_ID);
  assert.equal(environment.AWS_SECRET_ACCESS_KEY, servers.ROOT_SECRET_ACCESS_KEY);
});

test('what is waited for can be waited for: health checks, and ends of the two tasks', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    for (const [target, { condition }] of Object.entries(service.depends_on ?? {})) {
      const awaited = compose.services[target];
      assert.ok(awaited, `${name} waits for ${target}`);
      if (condition === 'service_healthy') assert.ok(awaited.healthcheck.test, `${target} has no health check`);
      else assert.equal(awaited.restart, 'no', `${target} never ends`);
    }
  }
});

test('every image of others names its version, every volume is declared, only the API is reachable, from this machine', () => {
  for (const [name, { image }] of theirs) assert.match(image, /:v?\d/, name);
  for (const [name, service] of Object.entries(compose.services)) {
    for (const volume of service.volumes ?? []) assert.ok(Object.hasOwn(compose.volumes, volume.split(':')[0]), name);
    if (service.ports) assert.deepEqual([name, interpolate(service.ports[0])], ['api', '127.0.0.1:3000:3000']);
  }
});

test('our containers are read-only, without privileges, and stop after their drain', () => {
  for (const [name, service] of ours) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.ok(Number.parseInt(service.stop_grace_period, 10) > Number(environmentOf(service).DRAIN_SECONDS), name);
  }
});

test('the cache evicts the least recently used of all keys, within a memory that its container has', () => {
  const { command, mem_limit: limit } = compose.services.valkey;
  const option = (name) => command[command.indexOf(name) + 1];
  assert.equal(option('--maxmemory-policy'), 'allkeys-lru');
  assert.ok(Number.parseInt(option('--maxmemory'), 10) * 1.25 <= Number.parseInt(limit, 10));
});
