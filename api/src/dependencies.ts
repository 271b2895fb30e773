import type {
  CalculationQueue,
  DigitCache,
  MetadataStore,
  ObjectStore,
  Readiness,
  ReadinessCheck,
  WorkflowEngine,
} from '@factorial/backing';
import type { MetricsRegistry } from '@factorial/backing/metrics';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiOptions } from './options.ts';
import type { ReadNotes } from './representation/read-notes.ts';

/** The backing services and the logger the API works with. The API opens and closes none of them. */
export interface ApiDependencies {
  readonly metadata: MetadataStore;
  readonly cache: DigitCache;
  readonly objects: ObjectStore;
  readonly queue: CalculationQueue;
  /** Where large n are computed apart from the workers: told to stop when one is cancelled. */
  readonly workflow?: WorkflowEngine | undefined;
  /** A pino logger, or one with its methods. Without it nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** Checks beside those of the four backing services. */
  readonly readiness?: readonly ReadinessCheck[];
  /** What `/metrics` tells beside requests and stores; by default nothing. */
  readonly metrics?: MetricsRegistry;
}

/** What every route gets: dependencies, resolved options, and a signal that fires when the server begins to close. */
export interface ApiContext {
  readonly metadata: MetadataStore;
  readonly cache: DigitCache;
  readonly objects: ObjectStore;
  readonly queue: CalculationQueue;
  readonly workflow: WorkflowEngine | undefined;
  readonly options: ApiOptions;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
  readonly reads: ReadNotes;
  readonly closing: AbortSignal;
}
