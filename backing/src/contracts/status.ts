/** Lifecycle of a row: `calculating` (unclaimed: queued) → `uploading` → `done`, or `failed` with an error. */
export const factorialStatuses = ['calculating', 'uploading', 'done', 'failed'] as const;
export type FactorialStatus = (typeof factorialStatuses)[number];
