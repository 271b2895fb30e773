export { type HealthServer, type HealthServerOptions, startHealthServer } from './health/health-server.ts';
export { CalculationMetrics } from './metrics/calculation-metrics.ts';
export type { WorkerLog, WorkerOptions, WorkerServices } from './options.ts';
export { type PruneOptions, type PruneSummary, pruneResults } from './prune/prune.ts';
export { Worker } from './worker.ts';
