export { type BudgetShare, SharedBudget, type SharedBudgetOptions, type ShareRequest } from './budget/shared-budget.ts';
export { checkpointFileName } from './checkpoint/checkpoint-file.ts';
export { isCheckpointInUse } from './checkpoint/folder-owner.ts';
export { type ComputeOptions, computeFactorial, defaultMaxChunkBytes } from './compute-factorial.ts';
export { digitCountOfFactorial, leadingDigits, maxLeadingDigits } from './digits/digit-count.ts';
export { ComputeError, InputError, KernelError, PlanCapacityError, ScratchError, SourceError } from './errors.ts';
export { trailingZeroCount } from './factorial/exponents.ts';
export { maxNumberDigits, parseFactorialNumber } from './factorial/factorial-number.ts';
export { freeScratchBytes, scratchFolderPrefix } from './limbs/scratch-store.ts';
export { defaultBudget, maxThreads, minMemoryBytes, parseBudget } from './plan/budget.ts';
export {
  type Budget,
  type EngineName,
  engineNames,
  type FactorialPlan,
  type PlannedStart,
  type StorageKind,
} from './plan/plan.ts';
export { largestFactorial, type PlanOptions, planFactorial } from './plan/plan-factorial.ts';
export type { Progress, ProgressListener, ProgressPhase } from './progress.ts';
export type { FactorialResult } from './result.ts';
export { FileSink, partialFileSuffix } from './sink/file-sink.ts';
export type { DigitSink, DigitSource, SinkReceipt, StoredPart } from './sink/sink.ts';
export { SinkError } from './sink/sink-error.ts';
export { StreamSink, stdoutSink } from './sink/stream-sink.ts';
export type { SourceOffer, StoredFactorial } from './source/stored-factorial.ts';
export { computeTinyFactorial, tinyFactorialLimit } from './tiny-factorial.ts';
export { type DigitCheck, type DigitsVerdict, type VerifyDigitsOptions, verifyDigits } from './verify/verify-digits.ts';
