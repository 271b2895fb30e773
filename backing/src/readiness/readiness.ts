import type { DigitCache } from '../cache/digit-cache.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { CalculationQueue } from '../queue/calculation-queue.ts';
import { Probe, type ProbeFinding } from './probe.ts';

/** One thing a process looks at to say whether it is ready. */
export interface ReadinessCheck {
  readonly name: string;
  /** Resolves when the service answers. */
  readonly ping: () => Promise<void>;
  /** false: reported, but the process stays ready without it. */
  readonly required: boolean;
}

/** What a process says of itself. Without a service that is not required it is `degraded`. */
export interface ReadinessReport {
  readonly status: 'ready' | 'degraded' | 'unready';
  readonly checks: readonly ProbeFinding[];
}

interface BackingServices {
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
  readonly queue: CalculationQueue;
  readonly cache: DigitCache;
}

/**
 * Checks of the four backing services. A cache that does not answer makes the service slower, not wrong: it is not required. A
 * database that answers but was never migrated serves nothing: its table is looked at too.
 */
export function backingChecks({ metadata, objects, queue, cache }: BackingServices): readonly ReadinessCheck[] {
  return [
    { name: 'metadata', ping: () => metadata.ping(), required: true },
    { name: 'schema', ping: async () => void (await metadata.find(0n)), required: true },
    { name: 'objects', ping: () => objects.ping(), required: true },
    { name: 'queue', ping: () => queue.ping(), required: true },
    { name: 'cache', ping: () => cache.ping(), required: false },
  ];
}

/** Runs checks side by side, each at most once at a time and for at most `timeoutMs`. */
export class Readiness {
  readonly #probes: readonly Probe[];
  readonly #timeoutMs: number;

  constructor(checks: readonly ReadinessCheck[], timeoutMs: number) {
    this.#probes = checks.map((check) => new Probe(check));
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. A process that is `closing` is unready whatever answers. */
  async report(closing: boolean): Promise<ReadinessReport> {
    const checks = await Promise.all(this.#probes.map((probe) => probe.run(this.#timeoutMs)));
    const unready = closing || checks.some((check) => check.required && !check.ok);
    const degraded = checks.some((check) => !check.ok);
    return { status: unready ? 'unready' : degraded ? 'degraded' : 'ready', checks };
  }
}
