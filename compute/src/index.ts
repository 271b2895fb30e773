export { ComputeError, InputError, KernelError, PlanCapacityError } from './errors.ts';
export { type Budget, type EngineName, engineNames, type FactorialPlan } from './plan/plan.ts';
export type { Progress, ProgressListener, ProgressPhase } from './progress.ts';
export type { FactorialResult } from './result.ts';
export type { DigitSink, DigitSource, SinkReceipt, StoredPart } from './sink/sink.ts';
