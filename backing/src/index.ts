export type { DigitCache } from './cache/digit-cache.ts';
export * from './contracts/errors.ts';
export { type CalculationRequest, calculationRequestSchema, numberPattern } from './contracts/message.ts';
export {
  parseSizeBytes,
  readSettings,
  type Setting,
  type Settings,
  SettingsError,
  settingDefinitions,
} from './contracts/settings.ts';
export { type FactorialStatus, factorialStatuses } from './contracts/status.ts';
export type * from './metadata/metadata-store.ts';
export type * from './objects/object-store.ts';
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
export type * from './workflow/workflow-engine.ts';
