import {
  type MetadataStore,
  maxInt64,
  nearestStart,
  type ObjectStore,
  type RequestLimits,
  type StoreUsage,
} from '@factorial/backing';
import {
  digitCountOfFactorial,
  type FactorialPlan,
  largestFactorial,
  PlanCapacityError,
  planFactorial,
} from '@factorial/compute';
import type { ApiOptions } from '../options.ts';
import { ApiProblem, type ProblemMembers, shorten } from '../problems/problem.ts';

/** Whether n! can be calculated and kept here and now; `problem` is what POST would answer, `plan` what it would take even where that is not here. */
export type Assessment =
  /** `limits` are to be held when the row is inserted. */
  | { readonly fits: true; readonly plan: FactorialPlan; readonly limits: RoomLimits }
  /** `plan` is then of the run that would be needed; undefined when no engine can run it at any size. */
  | { readonly fits: false; readonly plan: FactorialPlan | undefined; readonly problem: ApiProblem };

/** Bounds that do not depend on n, gathered for one request. */
interface Room {
  /** Bytes the whole store may hold; undefined = unbounded. */
  readonly totalBytes: bigint | undefined;
  /** Bytes that can still be written; undefined = unbounded. */
  readonly freeBytes: bigint | undefined;
}

/** Decides what fits the configured limits, the budget and the store. Reads the stores, changes nothing. */
export class Capacity {
  readonly #options: ApiOptions;
  readonly #metadata: MetadataStore;
  readonly #objects: ObjectStore;
  #largestPlannable: bigint | undefined;

  constructor(stores: { metadata: MetadataStore; objects: ObjectStore }, options: ApiOptions) {
    this.#options = options;
    this.#metadata = stores.metadata;
    this.#objects = stores.objects;
  }

  /** Judges n: `number-too-large` when it could never be held here, `store-full` when only others are in the way. */
  async assess(n: bigint): Promise<Assessment> {
    const room = await this.#room();
    const planned = this.#plan(n);
    const plan = planned instanceof PlanCapacityError ? planned.needed : planned;
    if (n > this.#options.maxNumber) {
      const limit = `this service accepts n up to ${this.#options.maxNumber}`;
      return { fits: false, plan, problem: this.#tooLarge(n, limit, room, plan) };
    }
    if (planned instanceof PlanCapacityError) {
      return { fits: false, plan, problem: this.#tooLarge(n, planned.message, room, plan) };
    }
    const digits = BigInt(planned.digitCount);
    const bytes = smallest(room.totalBytes, room.freeBytes);
    if (bytes !== undefined && digits > bytes) {
      const limit = `its ${digits} digits do not fit the ${bytes} bytes that the store can hold`;
      return { fits: false, plan, problem: this.#tooLarge(n, limit, room, plan) };
    }
    const full = await this.#full(n, digits, room);
    if (full !== undefined) return { fits: false, plan, problem: full };
    return { fits: true, plan: planned, limits: limitsOf(room) };
  }

  /** The problem for an n that no row could name. */
  async beyondAll(n: bigint): Promise<ApiProblem> {
    return this.#tooLarge(n, `no n above ${maxInt64} can be recorded`, await this.#room());
  }

  async #room(): Promise<Room> {
    return { totalBytes: this.#options.objectsMaxBytes, freeBytes: await this.#objects.freeBytes() };
  }

  /** The plan for n, or undefined when the budget cannot hold it. */
  planOrUndefined(n: bigint): FactorialPlan | undefined {
    const planned = this.#plan(n);
    return planned instanceof PlanCapacityError ? undefined : planned;
  }

  /** The plan of n! with the nearest stored result on offer; undefined when there is none. */
  async planFromStored(n: bigint): Promise<FactorialPlan | undefined> {
    const { budget, storedBytesPerSecond } = this.#options;
    if (n > maxInt64) return undefined;
    return (await nearestStart(n, budget, this.#metadata, storedBytesPerSecond))?.plan;
  }

  /** Seconds that n! takes in the quick lane; infinite when it does not fit there. */
  quickSeconds(n: bigint): number {
    const planned = this.#plan(n, this.#options.quickBudget);
    return planned instanceof PlanCapacityError ? Number.POSITIVE_INFINITY : planned.estimatedSeconds;
  }

  #plan(n: bigint, budget = this.#options.budget): FactorialPlan | PlanCapacityError {
    try {
      return planFactorial(n, budget);
    } catch (error) {
      if (error instanceof PlanCapacityError) return error;
      throw error;
    }
  }

  async #full(n: bigint, digits: bigint, room: Room): Promise<ApiProblem | undefined> {
    if (room.totalBytes === undefined && room.freeBytes === undefined) return undefined;
    const usage = await this.#metadata.usage();
    const limits = limitsOf(room);
    const overFree = limits.reservedMaxBytes !== undefined && usage.reservedBytes + digits > limits.reservedMaxBytes;
    return overFree || isOverTotal(digits, usage, limits) ? storeFull(n, digits, usage, limits) : undefined;
  }

  #tooLarge(n: bigint, limit: string, room: Room, plan?: FactorialPlan): ApiProblem {
    const largest = this.#largestPossible(room);
    const detail = `expected n up to ${largest}, got ${shorten(String(n))}: ${limit}`;
    return new ApiProblem('number-too-large', detail, {
      parameter: 'number',
      got: shorten(String(n)),
      allowed: `0 to ${largest}`,
      largestPossible: String(largest),
      ...(plan === undefined ? {} : { needs: needsOf(plan) }),
    });
  }

  #largestPossible(room: Room): bigint {
    this.#largestPlannable ??= largestFactorial(this.#options.budget);
    const largest = smallest<bigint>(this.#largestPlannable, this.#options.maxNumber);
    const bytes = smallest(room.totalBytes, room.freeBytes);
    return bytes === undefined ? largest : largestWithDigits(bytes, largest);
  }
}

type RoomLimits = Pick<RequestLimits, 'totalMaxBytes' | 'reservedMaxBytes'>;

function limitsOf({ totalBytes, freeBytes }: Room): RoomLimits {
  return { totalMaxBytes: totalBytes, reservedMaxBytes: freeBytes };
}

function isOverTotal(
  digits: bigint,
  { storedBytes, reservedBytes }: StoreUsage,
  { totalMaxBytes }: RoomLimits,
): boolean {
  return totalMaxBytes !== undefined && storedBytes + reservedBytes + digits > totalMaxBytes;
}

/** The problem for an n that fits, but not beside what is stored and promised. */
export function storeFull(n: bigint, digits: bigint, usage: StoreUsage, limits: RoomLimits): ApiProblem {
  const bound = isOverTotal(digits, usage, limits)
    ? `of ${limits.totalMaxBytes} bytes allowed`
    : `with ${limits.reservedMaxBytes} bytes free`;
  const detail = `expected room for ${digits} digits, got ${usage.storedBytes} bytes stored and ${usage.reservedBytes} promised ${bound}; try again when stored results were removed or running ones have ended`;
  return new ApiProblem('store-full', detail, { number: String(n) });
}

function needsOf(plan: FactorialPlan): NonNullable<ProblemMembers['needs']> {
  const { engine, threads, storage, memoryBytes, scratchBytes, ioBytes, estimatedSeconds } = plan;
  return { engine, threads, storage, memoryBytes, scratchBytes, ioBytes, estimatedSeconds };
}

/** The smaller one; undefined stands for no bound. */
function smallest<Bound extends bigint | undefined>(a: Bound, b: Bound): Bound {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** Largest n ≤ `atMost` whose factorial has at most `digits` digits; 0 when there is none. At most 64 steps. */
export function largestWithDigits(digits: bigint, atMost: bigint): bigint {
  let low = 0n;
  let high = atMost;
  // Invariant: low fits (or is 0), everything above high does not or is not wanted.
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (digitCountOfFactorial(middle) <= digits) low = middle;
    else high = middle - 1n;
  }
  return low;
}
