export type { DigitCache } from './cache/digit-cache.ts';
export type { FaultLogger } from './cache/fault-log.ts';
export { createMemoryDigitCache, type MemoryDigitCacheOptions } from './cache/memory-digit-cache.ts';
export { createRedisDigitCache, type RedisDigitCacheOptions } from './cache/redis-digit-cache.ts';
export { type AnnouncingServices, announceEnd, announceEvent } from './calculation/announce-end.ts';
export { type Cancellation, type CancellationServices, cancelCalculation } from './calculation/cancel-calculation.ts';
export {
  type CheckpointedRun,
  type CheckpointFolder,
  CheckpointFolders,
  type CheckpointFoldersOptions,
} from './calculation/checkpoint-folders.ts';
export {
  type CalculationLog,
  type ComputeAndStoreOptions,
  computeAndStore,
  type RunSupport,
  type StoredDigits,
} from './calculation/compute-and-store.ts';
export { failureReason, isFinalFailure, isRetryable } from './calculation/failure-reason.ts';
export { LeaseKeeper, type LeaseTimes } from './calculation/lease-keeper.ts';
export {
  type CalculationOptions,
  type CalculationOutcome,
  type CalculationServices,
  runCalculation,
} from './calculation/run-calculation.ts';
export { nearestStart, type StoredStart } from './calculation/stored-start.ts';
export { digitsKeyOf, type TaskNoteKind, taskNoteKey, taskNoteKinds } from './calculation/task-note.ts';
export { type VerifyOptions, verifyStored } from './calculation/verify-stored.ts';
export { withDeadline } from './contracts/deadline.ts';
export * from './contracts/errors.ts';
export { type CalculationEvent, calculationEventSchema, parseCalculationEvent } from './contracts/event.ts';
export {
  type CalculationRequest,
  calculationRequestSchema,
  numberPattern,
  parseCalculationRequest,
} from './contracts/message.ts';
export type { Setting } from './contracts/setting-kinds.ts';
export {
  readSettings,
  type Settings,
  SettingsError,
  settingDefinitions,
} from './contracts/settings.ts';
export { type FactorialStatus, factorialStatuses } from './contracts/status.ts';
export type * from './metadata/metadata-store.ts';
export { createMysqlMetadataStore } from './metadata/mysql/mysql-metadata-store.ts';
export { openMetadataStore } from './metadata/open-metadata-store.ts';
export { createPostgresMetadataStore } from './metadata/postgres/postgres-metadata-store.ts';
export { maxInt64 } from './metadata/ranges.ts';
export type { ServerStoreOptions } from './metadata/server-store-options.ts';
export { type DirectoryLock, lockDirectory, wasDirectoryLocked } from './metadata/sqlite/directory-lock.ts';
export { createSqliteMetadataStore, type SqliteMetadataStoreOptions } from './metadata/sqlite/sqlite-metadata-store.ts';
export { createFilesystemObjectStore, type FilesystemObjectStoreOptions } from './objects/filesystem-object-store.ts';
export type * from './objects/object-store.ts';
export { objectKeyPattern } from './objects/object-store.ts';
export { createS3ObjectStore } from './objects/s3/s3-object-store.ts';
export type { PartChecksum, S3Encryption, S3ObjectStoreOptions } from './objects/s3/s3-options.ts';
export { makeFolder } from './open/make-folder.ts';
export { openCache } from './open/open-cache.ts';
export { openMetadata } from './open/open-metadata.ts';
export { openObjects } from './open/open-objects.ts';
export { openQueue, type QueueLogger } from './open/open-queue.ts';
export {
  type CalculationQueue,
  type DeadLetter,
  type Delivery,
  type DeliveryHandler,
  type Lane,
  lanes,
  type Settlement,
} from './queue/calculation-queue.ts';
export { chooseLane, type LaneLimits } from './queue/choose-lane.ts';
export { createMemoryCalculationQueue, type MemoryCalculationQueueOptions } from './queue/memory-calculation-queue.ts';
export { createRabbitmqCalculationQueue } from './queue/rabbitmq/rabbitmq-calculation-queue.ts';
export type { RabbitmqCalculationQueueOptions } from './queue/rabbitmq/rabbitmq-options.ts';
export type { ProbeFinding } from './readiness/probe.ts';
export { backingChecks, Readiness, type ReadinessCheck, type ReadinessReport } from './readiness/readiness.ts';
export { type ExecutionInput, executionName } from './workflow/execution-name.ts';
export {
  createLocalWorkflowEngine,
  type ExecutionEvent,
  type LocalWorkflowEngineOptions,
} from './workflow/local-workflow-engine.ts';
export {
  createStepFunctionsWorkflowEngine,
  type StepFunctionsWorkflowEngineOptions,
} from './workflow/step-functions-workflow-engine.ts';
export type { TaskContext, TaskHandler, WorkflowDefinition } from './workflow/task-handlers.ts';
export type * from './workflow/workflow-engine.ts';
export { executionNamePattern, maxInputBytes } from './workflow/workflow-engine.ts';
