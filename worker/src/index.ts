export type { WorkerLog, WorkerOptions, WorkerServices } from './options.ts';
export { Worker } from './worker.ts';
