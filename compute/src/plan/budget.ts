import { availableParallelism, totalmem } from 'node:os';
import { InputError } from '../errors.ts';
import { describeString } from '../factorial/factorial-number.ts';
import { type Budget, engineNames } from './plan.ts';

/** Least memory a budget may name: below it not even 0! would fit. */
export const minMemoryBytes = 64 * 2 ** 20;
export const maxThreads = 256;
/** Longest standstill of the calling thread that a budget may admit. */
export const maxBlockingSeconds = 60;
/** What a budget that says nothing about it admits: what a server's other requests hardly notice. */
export const defaultBlockingSeconds = 0.02;
/** What the default budget takes at most, however large the machine. */
const defaultMaxMemoryBytes = 16 * 2 ** 30;
const defaultMaxThreads = 16;
/** Share of the machine's (or container's) memory that the default budget takes. */
const defaultMemoryShare = 0.5;

/**
 * A budget from what this process may use: half of its memory (the container's limit where there is one) up to 16 GiB, every core
 * up to 16 threads, no scratch. Overrides replace single members; the whole is validated.
 */
export function defaultBudget(overrides: Partial<Budget> = {}): Budget {
  const memoryBytes = Math.floor(Math.min(machineMemoryBytes() * defaultMemoryShare, defaultMaxMemoryBytes));
  return parseBudget({
    memoryBytes: Math.max(memoryBytes, minMemoryBytes),
    scratchBytes: 0,
    threads: Math.min(availableParallelism(), defaultMaxThreads),
    engine: 'auto',
    ...overrides,
  });
}

/** Bytes of memory of this machine, or of the container where it has a limit. */
export function machineMemoryBytes(): number {
  // Without a limit, constrainedMemory is 0 or beyond any machine.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** A frozen copy of a valid budget; `InputError` naming the member otherwise. */
export function parseBudget(budget: Budget): Budget {
  assertInteger('memoryBytes', budget.memoryBytes, minMemoryBytes, Number.MAX_SAFE_INTEGER);
  assertInteger('scratchBytes', budget.scratchBytes, 0, Number.MAX_SAFE_INTEGER);
  assertInteger('threads', budget.threads, 1, maxThreads);
  if (budget.scratchBytes > 0 && (typeof budget.scratchDir !== 'string' || budget.scratchDir === '')) {
    throw new InputError('a scratchDir beside scratchBytes > 0', describeValue(budget.scratchDir));
  }
  if (budget.engine !== 'auto' && !engineNames.includes(budget.engine)) {
    throw new InputError(`an engine out of auto, ${engineNames.join(', ')}`, describeValue(budget.engine));
  }
  const blockingSeconds: unknown = budget.blockingSeconds ?? defaultBlockingSeconds;
  if (typeof blockingSeconds !== 'number' || !(blockingSeconds >= 0 && blockingSeconds <= maxBlockingSeconds)) {
    throw new InputError(
      `a budget whose blockingSeconds are 0 to ${maxBlockingSeconds}`,
      describeValue(blockingSeconds),
    );
  }
  return Object.freeze({ ...budget });
}

function assertInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new InputError(`a budget whose ${name} is an integer from ${min} to ${max}`, describeValue(value));
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return describeString(value);
  return typeof value === 'number' ? `${value}` : typeof value;
}
