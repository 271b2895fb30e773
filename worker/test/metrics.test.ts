import { Readiness } from '@factorial/backing';
import { measureProcess, newMetricsRegistry } from '@factorial/backing/metrics';
import { SharedBudget } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHealthServer } from '../src/health/health-server.ts';
import { CalculationMetrics } from '../src/metrics/calculation-metrics.ts';
import { Worker } from '../src/worker.ts';
import { openTestServices, quiet, type TestServices, testOptions, until, withFault } from './services.ts';

let services: TestServices;
beforeEach(async () => {
  services = await openTestServices();
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const mebibyte = 2 ** 20;
const series = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));

describe("a worker's metrics", () => {
  it('count what was calculated, how it ended and what was refused, by lane', async () => {
    const registry = newMetricsRegistry();
    const metrics = new CalculationMetrics(registry, services.sharedBudget);
    const objects = withFault(services.objects, {
      sink: (key) => {
        if (key.includes('/7000/')) throw new Error('no room for this one');
        return services.objects.sink(key);
      },
    });
    const worker = new Worker({ ...services, objects, metrics }, testOptions({ maxFailures: 2 }), quiet);
    await worker.start();
    for (const n of [1_000n, 2_000n, 7_000n]) {
      await services.ask(n);
      await services.queue.publish('small.quick', { version: 1, number: `${n}`, attempt: 1 });
    }
    for (const n of [1_000n, 2_000n]) await until(async () => (await services.metadata.find(n))?.status === 'done');
    await until(async () => (await services.metadata.find(7_000n))?.status === 'failed');
    await worker.stop(1_000);
    const text = await registry.metrics();
    const counts = series(text, 'factorial_calculation_duration_seconds_count').sort();
    expect(counts).toEqual([
      'factorial_calculation_duration_seconds_count{lane="small.quick",outcome="done"} 2',
      'factorial_calculation_duration_seconds_count{lane="small.quick",outcome="failed"} 1',
      'factorial_calculation_duration_seconds_count{lane="small.quick",outcome="retry"} 1',
    ]);
    expect(series(text, 'factorial_calculated_digits_total')).toEqual([
      `factorial_calculated_digits_total ${2_568 + 5_736}`,
    ]);
    expect(series(text, 'factorial_calculations_running')).toEqual([
      'factorial_calculations_running{lane="small.quick"} 0',
    ]);
    expect(series(text, 'factorial_compute_taken_bytes')).toEqual([
      'factorial_compute_taken_bytes{kind="memory"} 0',
      'factorial_compute_taken_bytes{kind="scratch"} 0',
    ]);
  });

  it('tell what runs and what it has taken, while it runs', async () => {
    const registry = newMetricsRegistry();
    const sharedBudget = new SharedBudget({ memoryBytes: 64 * mebibyte, scratchBytes: 0, quickMemoryBytes: 0 });
    const metrics = new CalculationMetrics(registry, sharedBudget);
    const share = await sharedBudget.acquire(
      { memoryBytes: mebibyte, scratchBytes: 0 },
      new AbortController().signal,
      () => undefined,
    );
    let end = (): void => undefined;
    const running = metrics.measure('small.long', async () => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      throw new Error('the database is away');
    });
    const text = await registry.metrics();
    expect(series(text, 'factorial_calculations_running')).toEqual([
      'factorial_calculations_running{lane="small.long"} 1',
    ]);
    expect(series(text, 'factorial_compute_taken_bytes{kind="memory"}')[0]).toMatch(new RegExp(` ${mebibyte}$`));
    end();
    await expect(running).rejects.toThrow('away');
    await share[Symbol.asyncDispose]();
    const after = await registry.metrics();
    expect(series(after, 'factorial_calculation_duration_seconds_count')).toEqual([
      'factorial_calculation_duration_seconds_count{lane="small.long",outcome="left"} 1',
    ]);
  });

  it('are served beside its probes, and a collector that fails is a 500 and not the end of the worker', async () => {
    const registry = newMetricsRegistry();
    measureProcess(registry);
    const options = { host: '127.0.0.1', port: 0, metrics: registry };
    const probes = await startHealthServer(new Readiness([], 500), options);
    const response = await fetch(`${probes.url}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/plain; version=0\.0\.4/),
    ]);
    expect(await response.text()).toMatch(/^process_resident_memory_bytes [0-9]+$/m);
    registry.metrics = async () => {
      throw new Error('broken');
    };
    expect((await fetch(`${probes.url}/metrics`)).status).toBe(500);
    expect((await fetch(`${probes.url}/healthz`)).status).toBe(200);
    await probes.close();
    const without = await startHealthServer(new Readiness([], 500), { host: '127.0.0.1', port: 0 });
    expect((await fetch(`${without.url}/metrics`)).status).toBe(404);
    await without.close();
  });
});
