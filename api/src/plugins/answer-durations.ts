import type { MetricsRegistry } from '@factorial/backing/metrics';

export interface AnswerDurationsOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
}

/** One series: the answers of one route to one method with one status. */
interface Series {
  readonly labels: Readonly<Record<'method' | 'route' | 'status', string>>;
  /** Answers by the first bucket they fit; the last is for those that fit none. */
  readonly counts: number[];
  sumSeconds: number;
}

/** Counts one answer. */
export type CountAnswer = (method: string, status: number, seconds: number) => void;

/**
 * A histogram of durations by method, route and status. The library's own looks each series up by a text made of its labels: with
 * answers from the cache that was the dearest thing after sending them. Here a route holds its series.
 */
export class AnswerDurations {
  readonly #options: AnswerDurationsOptions;
  readonly #series: Series[] = [];

  constructor(options: AnswerDurationsOptions, registry: MetricsRegistry) {
    this.#options = options;
    const { name, help } = options;
    const metric = { name, help, type: 'histogram', aggregator: 'sum', get: () => this.#get() };
    // A registry reads `name` and `get`; its type names the library's classes alone.
    registry.registerMetric(metric as unknown as Parameters<MetricsRegistry['registerMetric']>[0]);
  }

  /** What counts the answers of one route. */
  ofRoute(route: string): CountAnswer {
    const byMethod = new Map<string, Map<number, Series>>();
    return (method, status, seconds) => {
      const series = byMethod.get(method)?.get(status) ?? this.#add(byMethod, { method, route, status });
      this.#count(series, seconds);
    };
  }

  #add(
    byMethod: Map<string, Map<number, Series>>,
    { method, route, status }: { readonly method: string; readonly route: string; readonly status: number },
  ): Series {
    const labels = { method, route, status: String(status) };
    const series: Series = {
      labels,
      counts: new Array<number>(this.#options.buckets.length + 1).fill(0),
      sumSeconds: 0,
    };
    const byStatus = byMethod.get(method) ?? new Map<number, Series>();
    byMethod.set(method, byStatus.set(status, series));
    this.#series.push(series);
    return series;
  }

  #count(series: Series, seconds: number): void {
    const { buckets } = this.#options;
    let bucket = 0;
    while (bucket < buckets.length && seconds > (buckets[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sumSeconds += seconds;
  }

  async #get() {
    const { name, help } = this.#options;
    return {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: this.#series.flatMap((one) => this.#samples(one)),
    };
  }

  #samples({ labels, counts, sumSeconds }: Series) {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      const le = this.#options.buckets[index] ?? '+Inf';
      return { metricName: `${this.#options.name}_bucket`, labels: { le, ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.#options.name}_sum`, labels, value: sumSeconds },
      { metricName: `${this.#options.name}_count`, labels, value: total },
    ];
  }
}
