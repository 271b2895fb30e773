import { collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';
import type { Readiness } from '../readiness/readiness.ts';

/** What a process counts and measures, as Prometheus scrapes it. Label values come from fixed sets only: never an n, a key or an address. */
export type MetricsRegistry = Registry;

/** A registry with nothing in it. */
export function newMetricsRegistry(): MetricsRegistry {
  return new Registry();
}

/** CPU, memory, event loop and garbage collection of this process. Once for each process. */
export function measureProcess(registry: MetricsRegistry): void {
  collectDefaultMetrics({ register: registry });
}

/** `factorial_backing_service_up{service}`, asked at each scrape as `/readyz` asks: at most once at a time, bounded. */
export function measureServicesUp(registry: MetricsRegistry, readiness: Readiness): void {
  new Gauge({
    name: 'factorial_backing_service_up',
    help: 'Whether a backing service answers (1) or not (0), as on /readyz.',
    labelNames: ['service'],
    registers: [registry],
    async collect() {
      const { checks } = await readiness.report(false);
      for (const { name, ok } of checks) this.set({ service: name }, ok ? 1 : 0);
    },
  });
}
