export { type ExecutionInput, executionName } from './consumer/start-execution.ts';
export type { WorkerLog, WorkerOptions, WorkerServices } from './options.ts';
export { Worker } from './worker.ts';
