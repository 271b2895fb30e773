import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { containerEnvironment, pick, refusal, render, valuesFiles } from './render.mjs';
import { builtModule, settingsModule } from './settings-table.mjs';

const mebibyte = 2 ** 20;
const partBytes = 8 * mebibyte;

function workerOf(objects) {
  const name = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-worker')).metadata
    .name;
  const [container] = pick(objects, 'Deployment', name).spec.template.spec.containers;
  return { container, environment: containerEnvironment(objects, container) };
}

function bytesOf(quantity) {
  const [, count, unit] = /^(\d+)(Mi|Gi|Ti)$/.exec(quantity);
  return Number(count) * { Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }[unit];
}

/** Everything the worker may hold at once by its rendered environment, in bytes. */
function accountFor({ container, environment }, settings) {
  const [, old, semi] = /^--max-old-space-size=(\d+) --max-semi-space-size=(\d+)$/.exec(environment.NODE_OPTIONS);
  const large =
    settings.MAX_NUMBER >= settings.LARGE_FROM && !environment.STATE_MACHINE_ARN ? settings.LARGE_CONCURRENCY : 0;
  const long = settings.LONG_CONCURRENCY + large;
  const runs = settings.QUICK_CONCURRENCY + long;
  return {
    limit: bytesOf(container.resources.limits.memory),
    node: 43 * mebibyte,
    threads: (settings.QUICK_CONCURRENCY + settings.THREADS * long) * 12 * mebibyte,
    heap: (Number(old) + 3 * Number(semi)) * mebibyte,
    uploads: runs * (Number(environment.UPLOAD_PARTS_IN_FLIGHT) + 2) * partBytes,
    compute: settings.COMPUTE_MEMORY_BYTES,
  };
}

for (const name of Object.keys(valuesFiles)) {
  test(`${name}: heap, threads, uploads and compute budget of the worker fit its container`, async () => {
    const { readSettings } = await settingsModule();
    const worker = workerOf(render(name));
    const settings = readSettings(worker.environment);
    const { limit, ...parts } = accountFor(worker, settings);
    const sum = Object.values(parts).reduce((total, bytes) => total + bytes, 0);
    assert.ok(sum <= limit, `${sum} of ${limit}: ${JSON.stringify(parts)}`);
    assert.ok(parts.compute >= limit * 0.3, `only ${parts.compute} of ${limit} to compute in`);
  });

  test(`${name}: the service finds the compute budget enough for every lane`, async () => {
    const { readSettings } = await settingsModule();
    const { computeBudgets } = await builtModule('service/dist/start/lane-budgets.js');
    const settings = readSettings(workerOf(render(name)).environment);
    const budgets = Object.values(computeBudgets(settings).lanes);
    assert.equal(budgets.length, 3);
    for (const budget of budgets) assert.ok(budget.memoryBytes >= 64 * mebibyte);
  });

  test(`${name}: the API plans with the budget of the worker`, () => {
    const objects = render(name);
    const [api] = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-api')).spec
      .template.spec.containers;
    const planned = containerEnvironment(objects, api);
    const { environment } = workerOf(objects);
    for (const variable of ['COMPUTE_MEMORY_BYTES', 'COMPUTE_SCRATCH_BYTES', 'THREADS', 'MAX_NUMBER', 'LARGE_FROM']) {
      assert.equal(planned[variable], environment[variable], variable);
    }
  });
}

test('from one memory value everything grows and nothing shrinks', () => {
  const columns = ['512Mi', '1Gi', '2Gi', '4Gi', '16Gi', '64Gi', '1Ti'].map((memory) => {
    const { environment } = workerOf(render('small', { 'worker.memory': memory }));
    const [, heap] = /--max-old-space-size=(\d+)/.exec(environment.NODE_OPTIONS);
    return [environment.COMPUTE_MEMORY_BYTES, heap, environment.UPLOAD_PARTS_IN_FLIGHT].map(Number);
  });
  for (let row = 1; row < columns.length; row += 1) {
    for (const [index, value] of columns[row].entries()) assert.ok(value >= columns[row - 1][index], `${columns}`);
    assert.ok(columns[row][0] > columns[row - 1][0]);
  }
  assert.ok(columns.at(-1)[2] <= 64);
});

test('threads are the requested cores, rounded up', () => {
  for (const [cpu, threads] of [
    ['250m', '1'],
    ['1500m', '2'],
    [0.5, '1'],
    [3, '3'],
    ['4', '4'],
  ]) {
    const { environment } = workerOf(render('production', { 'worker.cpu': cpu }));
    assert.equal(environment.THREADS, threads, `${cpu}`);
  }
});

test('a memory that cannot work is refused with the least that can; a little less is refused, too', async () => {
  const { readSettings } = await settingsModule();
  const { computeBudgets } = await builtModule('service/dist/start/lane-budgets.js');
  const seed = randomInt(2 ** 31);
  let state = seed;
  const next = (from, to) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return from + (state % (to - from + 1));
  };
  for (let round = 0; round < 12; round += 1) {
    const set = {
      'settings.QUICK_CONCURRENCY': next(1, 4),
      'settings.LONG_CONCURRENCY': next(1, 4),
      'worker.cpu': next(1, 8),
    };
    const context = `seed ${seed} round ${round} ${JSON.stringify(set)}`;
    const message = refusal('small', { ...set, 'worker.memory': '100Mi' });
    const least = Number(/Expected at least (\d+)Mi/.exec(message)?.[1]);
    assert.ok(least > 100, `${context}: ${message}`);
    const worker = workerOf(render('small', { ...set, 'worker.memory': `${least}Mi` }));
    const settings = readSettings(worker.environment);
    const { limit, ...parts } = accountFor(worker, settings);
    const sum = Object.values(parts).reduce((total, bytes) => total + bytes, 0);
    assert.ok(sum <= limit, `${context}: ${sum} of ${limit}`);
    assert.doesNotThrow(() => computeBudgets(settings), context);
    const almost = Math.floor(least * 0.97);
    assert.match(refusal('small', { ...set, 'worker.memory': `${almost}Mi` }), /cannot work/, context);
  }
});
