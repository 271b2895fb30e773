import { InputError } from '@factorial/compute';
import type { FailureReason, StoredProgress } from './metadata-store.ts';

/** Largest value of a 64-bit column. */
export const maxInt64 = 2n ** 63n - 1n;
/** Longest lease: a day. A worker renews far more often. */
const maxLeaseMs = 86_400_000;
/** Longest stored failure message; the rest is cut off. */
const maxReasonLength = 2_000;
const maxPhaseLength = 64;
/** Longest stored reason to wait; the rest is cut off. */
const maxWaitReasonLength = 300;

/** Restrictions: 0 ≤ value ≤ 2^63−1, else `InputError`. */
export function assertInt64(name: string, value: bigint): void {
  if (typeof value !== 'bigint' || value < 0n || value > maxInt64) {
    throw new InputError(`${name} as a bigint from 0 to ${maxInt64}`, String(value));
  }
}

/** Restrictions: min ≤ value ≤ max and whole, else `InputError`. */
export function assertInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InputError(`${name} as an integer from ${min} to ${max}`, String(value));
  }
}

export function assertLeaseMs(leaseMs: number): void {
  assertInteger('leaseMs', leaseMs, 1, maxLeaseMs);
}

/** Restrictions: 1 ≤ length ≤ maxLength, well-formed and without NUL, which not every database stores; else `InputError`. */
export function assertText(name: string, text: string, maxLength: number): void {
  if (typeof text !== 'string' || text.length < 1 || text.length > maxLength) {
    throw new InputError(`${name} as text of 1 to ${maxLength} characters`, `${String(text).length} characters`);
  }
  if (text.includes('\0') || !text.isWellFormed()) {
    throw new InputError(`${name} as well-formed text without NUL`, JSON.stringify(text));
  }
}

/** JSON of the reason, well-formed and bounded however long the message is. */
export function encodeReason(reason: FailureReason): string {
  assertText('reason.code', reason.code, 64);
  return JSON.stringify({ code: reason.code, message: reason.message.slice(0, maxReasonLength).toWellFormed() });
}

/** JSON of the progress. Restrictions: 0 ≤ done ≤ total, both finite; secondsLeft ≥ 0 and finite. */
export function encodeProgress(progress: StoredProgress): string {
  assertText('progress.phase', progress.phase, maxPhaseLength);
  if (!(progress.done >= 0 && progress.done <= progress.total && Number.isFinite(progress.total))) {
    throw new InputError('progress with 0 ≤ done ≤ total', `${progress.done} of ${progress.total}`);
  }
  const { phase, done, total, secondsLeft, reason } = progress;
  if (secondsLeft !== undefined && !(secondsLeft >= 0 && Number.isFinite(secondsLeft))) {
    throw new InputError('progress with secondsLeft ≥ 0', `${secondsLeft}`);
  }
  // Members that are undefined are left out.
  return JSON.stringify({
    phase,
    done,
    total,
    secondsLeft,
    reason: reason?.slice(0, maxWaitReasonLength).toWellFormed(),
  });
}
