import type { CalculationOutcome, Lane } from '@factorial/backing';
import type { MetricsRegistry } from '@factorial/backing/metrics';
import type { SharedBudget } from '@factorial/compute';
import { Counter, Gauge, Histogram } from '@prometheus-io/client';

/** From a quick one to one of hours. */
const durationBuckets = [0.01, 0.05, 0.25, 1, 2.5, 10, 30, 60, 300, 1_800, 7_200, 43_200];

/** What a worker does, for Prometheus: labels are the lanes and the outcomes, never an n. */
export class CalculationMetrics {
  readonly #duration: Histogram<'lane' | 'outcome'>;
  readonly #running: Gauge<'lane'>;
  readonly #digits: Counter;
  readonly #refused: Counter<'lane'>;

  constructor(registry: MetricsRegistry, sharedBudget: SharedBudget) {
    const registers = [registry];
    this.#duration = new Histogram({
      name: 'factorial_calculation_duration_seconds',
      help: 'Time from a claim to its end; outcome is done, retry, failed, stale (cancelled or taken over), released (put back at shutdown) or left (to its lease, without the database).',
      labelNames: ['lane', 'outcome'],
      buckets: durationBuckets,
      registers,
    });
    this.#running = new Gauge({
      name: 'factorial_calculations_running',
      help: 'Calculations that this process holds a claim of.',
      labelNames: ['lane'],
      registers,
    });
    this.#digits = new Counter({
      name: 'factorial_calculated_digits_total',
      help: 'Digits of the results that this process published.',
      registers,
    });
    this.#refused = new Counter({
      name: 'factorial_messages_refused_total',
      help: 'Messages put aside because they are no requests.',
      labelNames: ['lane'],
      registers,
    });
    measureBudget(registry, sharedBudget);
  }

  /** Count one claimed calculation, from now to its outcome. One that rejects is left to its lease: `left`. */
  async measure(lane: Lane, run: () => Promise<CalculationOutcome>): Promise<CalculationOutcome> {
    const startedMs = performance.now();
    let outcome: CalculationOutcome['kind'] | 'left' = 'left';
    this.#running.inc({ lane });
    try {
      const result = await run();
      outcome = result.kind;
      if (result.kind === 'done') this.#digits.inc(Number(result.row.digits));
      return result;
    } finally {
      this.#running.dec({ lane });
      this.#duration.observe({ lane, outcome }, (performance.now() - startedMs) / 1000);
    }
  }

  refused(lane: Lane): void {
    this.#refused.inc({ lane });
  }
}

function measureBudget(registry: MetricsRegistry, sharedBudget: SharedBudget): void {
  new Gauge({
    name: 'factorial_compute_taken_bytes',
    help: 'What running calculations have taken of COMPUTE_MEMORY_BYTES (memory) and COMPUTE_SCRATCH_BYTES (scratch).',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const { memoryBytes, scratchBytes } = sharedBudget.taken;
      this.set({ kind: 'memory' }, memoryBytes);
      this.set({ kind: 'scratch' }, scratchBytes);
    },
  });
}
