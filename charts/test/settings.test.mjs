import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { factorialChart } from './paths.mjs';
import { containerEnvironment, ofKind, pick, pods, refusal, render, valuesFiles } from './render.mjs';
import { settingsSchemas } from './settings-schema.mjs';
import { settingsModule, settingsTable } from './settings-table.mjs';

const table = await settingsTable();
const secrets = Object.keys(table).filter((name) => table[name].secret);
/** Variables of Node, the AWS SDK and of this chart, which are no settings of the service. */
const foreignVariables = ['NODE_ENV', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'TMPDIR', 'REDIS_PASSWORD', 'CHART_TEST'];

/** A valid value of a setting other than its default, as one would write it in a values file. */
function exampleOf({ expected, fallback }) {
  const range = /^an integer from (\d+) to (\d+)$/.exec(expected);
  if (range) return Number(range[1]) + (String(Number(range[1])) === fallback ? 1 : 0);
  const seconds = /^a number of seconds from ([\d.]+) to ([\d.]+)$/.exec(expected);
  if (seconds) return Number(seconds[2]) / 2;
  const choices = /^one of (.+)$/.exec(expected);
  if (choices) return choices[1].split(', ').find((choice) => choice !== fallback) ?? fallback;
  if (expected === 'true or false') return fallback !== 'true';
  const size = /^a size from (\S+) to (\S+),/.exec(expected);
  if (size) return size[2];
  const shown = /such as (\S+)$/.exec(expected);
  if (shown) return shown[1];
  if (/addresses/.test(expected)) return '10.0.0.0/8';
  return expected.startsWith('auto') ? 'auto' : 'example';
}

/** Settings that follow from other values, read from the refusals themselves. */
const following = Object.keys(table).filter((name) => {
  const text = readFileSync(join(factorialChart, 'templates', '_refusals.tpl'), 'utf8');
  return text.includes(`\n  "${name}" "`);
});
const free = Object.keys(table).filter((name) => !secrets.includes(name) && !following.includes(name));

test("the chart's schema holds exactly the settings of the service's table", () => {
  const schema = JSON.parse(readFileSync(join(factorialChart, 'values.schema.json'), 'utf8'));
  const { settings, secrets: secretsSchema } = settingsSchemas(table);
  const hint = 'run `node charts/test/write-settings-schema.mjs`';
  assert.deepEqual(schema.$defs.settings, settings, hint);
  assert.deepEqual(schema.$defs.secrets, secretsSchema, hint);
});

test('every setting that is free reaches API and worker with the value that was given', async () => {
  const { settingDefinitions } = await settingsModule();
  // Values that depend on each other, and those that would make the worker too small, keep to what works together.
  const together = { LEASE_SECONDS: 100, HEARTBEAT_SECONDS: 5, QUICK_CONCURRENCY: 3, LONG_CONCURRENCY: 2 };
  const given = Object.fromEntries(free.map((name) => [name, together[name] ?? exampleOf(table[name])]));
  const objects = render('small', { settings: given, 'worker.memory': '64Gi' });
  for (const { name: pod, spec } of pods(ofKind(objects, 'Deployment'))) {
    const environment = containerEnvironment(objects, spec.containers[0]);
    for (const name of free) {
      const text = environment[name];
      assert.equal(text, String(given[name]), `${pod} ${name}`);
      const parsed = settingDefinitions[name] ? settingDefinitions[name].parse(text) : text;
      assert.notEqual(parsed, undefined, `the service refuses ${name}=${text}`);
    }
  }
});

test('every setting that follows from another value is set by the chart, and refused under settings', () => {
  const objects = render('small');
  const set = new Set(
    pods(ofKind(objects, 'Deployment')).flatMap(({ spec }) =>
      Object.keys(containerEnvironment(objects, spec.containers[0])),
    ),
  );
  assert.ok(following.length >= 6, following.join(', '));
  for (const name of following) {
    assert.ok(set.has(name), `${name} is set nowhere`);
    assert.match(
      refusal('small', { [`settings.${name}`]: exampleOf(table[name]) }),
      new RegExp(`settings\\.${name}: expected not`),
    );
  }
});

test('every secret setting reaches the pods through the Secret, and is refused under settings', () => {
  for (const name of secrets) {
    const objects = render('bare', { [`secrets.${name}`]: `hidden-value-of-${name}` });
    assert.equal(pick(objects, 'Secret', 'bare').stringData[name], `hidden-value-of-${name}`);
    for (const { spec } of pods(ofKind(objects, 'Deployment'))) {
      assert.ok(spec.containers[0].envFrom.some(({ secretRef }) => secretRef?.name === 'bare'));
    }
    assert.match(
      refusal('bare', { [`settings.${name}`]: 'x' }),
      new RegExp(`settings\\.${name}: expected under secrets`),
    );
  }
});

test('the chart sets no variable that the service does not know', () => {
  for (const name of Object.keys(valuesFiles)) {
    const objects = render(name);
    for (const { spec } of pods(objects)) {
      for (const container of spec.containers) {
        const variables = [
          ...Object.keys(containerEnvironment(objects, container)),
          ...(container.env ?? []).map((entry) => entry.name),
        ];
        for (const variable of variables) {
          assert.ok(Object.hasOwn(table, variable) || foreignVariables.includes(variable), `${name}: ${variable}`);
        }
      }
    }
  }
});

for (const name of Object.keys(valuesFiles)) {
  test(`${name}: the service accepts the rendered environment of API and worker`, async () => {
    const { readSettings } = await settingsModule();
    const objects = render(name);
    for (const { spec } of pods(ofKind(objects, 'Deployment'))) {
      const environment = containerEnvironment(objects, spec.containers[0]);
      assert.doesNotThrow(() => readSettings(environment));
    }
  });
}

test('the defaults that the templates know are those of the table', () => {
  const templates = ['_worker-memory.tpl', '_refusals.tpl']
    .map((file) => readFileSync(join(factorialChart, 'templates', file), 'utf8'))
    .join('\n');
  const known = [
    ...templates.matchAll(/"name" "([A-Z_]+)" "default" (\d+)/g),
    ...templates.matchAll(/default (?<value>\d+) \$values\.settings\.(?<name>[A-Z_]+)/g),
  ].map((match) => (match.groups?.name ? [match.groups.name, match.groups.value] : [match[1], match[2]]));
  assert.ok(known.length >= 7, `${known}`);
  for (const [name, value] of known) assert.equal(table[name].fallback, value, name);
});

test('large numbers are written out, not as powers of ten', () => {
  const objects = render('small', {
    'settings.MAX_NUMBER': 9007199254740991,
    'settings.LARGE_FROM': '9223372036854775807',
  });
  const { data } = pick(objects, 'ConfigMap', 'rel-factorial');
  assert.equal(data.MAX_NUMBER, '9007199254740991');
  assert.equal(data.LARGE_FROM, '9223372036854775807');
});
