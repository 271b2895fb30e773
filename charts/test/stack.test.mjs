import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { factorialChart, stackChart } from './paths.mjs';
import { containerEnvironment, ofKind, parseObjects, pick, pods } from './render.mjs';
import { helm } from './tools.mjs';
import { problemsOf } from './typed.mjs';

const values = parse(readFileSync(join(stackChart, 'values.yaml'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'factorial-stack-'));
after(() => rmSync(folder, { recursive: true, force: true }));

// The official chart cannot be fetched without a network. A stand-in has its name and version; what the values do in it is the
// official chart's to test.
cpSync(stackChart, folder, { recursive: true });
cpSync(factorialChart, join(folder, 'charts', 'factorial'), { recursive: true });
const valkey = join(folder, 'charts', 'valkey');
mkdirSync(valkey);
const { dependencies } = parse(readFileSync(join(stackChart, 'Chart.yaml'), 'utf8'));
const pinned = dependencies.find(({ name }) => name === 'valkey');
writeFileSync(join(valkey, 'Chart.yaml'), `apiVersion: v2\nname: valkey\nversion: ${pinned.version}\n`);

const given = join(folder, 'given.yaml');
writeFileSync(
  given,
  'factorial:\n  settings: {S3_BUCKET: results}\n  secrets: {DATABASE_URL: "postgres://x", AMQP_URL: "amqp://y"}\n',
);

test('the stack passes helm lint --strict and renders, every object typed', () => {
  const lint = helm(['lint', '--strict', folder, '--values', given]);
  assert.equal(lint.status, 0, lint.stdout + lint.stderr);
  const { status, stdout, stderr } = helm(['template', 'rel', folder, '--values', given]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(parseObjects(stdout).flatMap(problemsOf), []);
});

test('the dependencies are pinned to one version each, and the chart beside it is that version', () => {
  for (const { name, version } of dependencies) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  const { version } = parse(readFileSync(join(factorialChart, 'Chart.yaml'), 'utf8'));
  assert.equal(dependencies.find(({ name }) => name === 'factorial').version, version);
});

test('the cache evicts the least recently used of all keys, within a memory that its container has', () => {
  const { valkeyConfig, resources } = values.valkey;
  assert.match(valkeyConfig, /^maxmemory-policy allkeys-lru$/m);
  const maxMemory = Number(/^maxmemory (\d+)mb$/m.exec(valkeyConfig)[1]);
  const limit = Number(/^(\d+)Mi$/.exec(resources.limits.memory)[1]);
  assert.ok(maxMemory * 1.25 <= limit, `${maxMemory} of ${limit}: fragmentation and buffers need a quarter`);
});

test('API and worker use the cache of the release, and policies let them', () => {
  const { stdout } = helm(['template', 'rel', folder, '--values', given]);
  const objects = parseObjects(stdout);
  for (const { spec } of pods(ofKind(objects, 'Deployment'))) {
    const environment = containerEnvironment(objects, spec.containers[0]);
    assert.equal(environment.REDIS_URL, `redis://${values.valkey.fullnameOverride}:6379`);
  }
  const peers = pick(objects, 'NetworkPolicy', 'factorial-worker').spec.egress.flatMap(({ to }) => to ?? []);
  assert.ok(peers.some(({ podSelector }) => podSelector?.matchLabels['app.kubernetes.io/name'] === 'valkey'));
  const [rule] = values.valkey.networkPolicy.ingress;
  for (const { podSelector } of rule.from) {
    const admitted = pods(ofKind(objects, 'Deployment')).filter(({ metadata }) =>
      Object.entries(podSelector.matchLabels).every(([key, value]) => metadata.labels[key] === value),
    );
    assert.equal(admitted.length, 1);
  }
});

test('without a network the stack says which chart is missing', () => {
  const { status, stderr } = helm(['template', 'rel', stackChart, '--values', given]);
  assert.notEqual(status, 0);
  assert.match(stderr, /missing in charts\/ directory: .*valkey/);
});
