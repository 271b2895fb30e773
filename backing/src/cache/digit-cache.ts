/** Popular small results: n → digit text. Losing an entry, or the whole cache, costs time and nothing else. */
export interface DigitCache {
  /** The digits, or undefined on a miss. A fault of the cache is a miss, never an error. Callers at once may share the array: read it only. */
  get(n: bigint): Promise<Uint8Array | undefined>;
  /** Remember the digits when they are at most `maxValueBytes`; larger values and faults are ignored. */
  set(n: bigint, digits: Uint8Array): Promise<void>;
  delete(n: bigint): Promise<void>;
  /**
   * The digits from the cache, else from `load`, which runs once however many callers ask for the same n at once
   * (single-flight). `load` resolving to undefined means there is nothing to remember. Its rejection reaches every waiter.
   */
  getOrLoad(
    n: bigint,
    load: () => Promise<Uint8Array | undefined>,
  ): Promise<{ readonly digits: Uint8Array | undefined; readonly hit: boolean }>;
  /** Whether a value of this many bytes would be kept. */
  accepts(bytes: bigint): boolean;
  ping(): Promise<void>;
  close(): Promise<void>;
}
