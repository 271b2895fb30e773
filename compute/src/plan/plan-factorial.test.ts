import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError, PlanCapacityError } from '../errors.ts';
import { defaultBudget, minMemoryBytes, parseBudget } from './budget.ts';
import type { Budget } from './plan.ts';
import { largestFactorial, planFactorial } from './plan-factorial.ts';

const mebibyte = 2 ** 20;
const budget = (overrides: Partial<Budget> = {}): Budget =>
  parseBudget({ memoryBytes: 512 * mebibyte, scratchBytes: 0, threads: 2, engine: 'auto', ...overrides });

test('a plan is a plain value with the exact digit count and trailing zeros', () => {
  const plan = planFactorial(1_000_000, budget());
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  expect(plan).toMatchObject({ n: '1000000', digitCount: '5565709', trailingZeros: '249998', threads: 2 });
  expect(plan.memoryBytes).toBeLessThanOrEqual(512 * mebibyte);
  expect(plan.estimatedSeconds).toBeGreaterThan(0);
});

test('a small n needs no thread', () => {
  expect(planFactorial(10, budget()).threads).toBe(0);
});

test('a run has no threads only where the calling thread may stand still that long and is no slower for it', () => {
  const blocking = (n: number, blockingSeconds: number) => planFactorial(n, budget({ blockingSeconds })).threads;
  expect(planFactorial(200_000, budget()).threads).toBe(0);
  expect(planFactorial(300_000, budget()).threads).toBe(2);
  expect(blocking(200_000, 0.001)).toBe(2);
  expect(blocking(1_000_000, 0.25)).toBe(0);
  expect(blocking(10_000_000, 60)).toBe(2);
});

test('a plan takes fewer threads when memory is short', () => {
  const plenty = planFactorial(3_000_000, budget({ engine: 'gmp', memoryBytes: 4096 * mebibyte }));
  const short = planFactorial(3_000_000, budget({ engine: 'gmp', memoryBytes: plenty.memoryBytes - 1 }));
  expect(plenty.threads).toBe(2);
  expect(short.threads).toBe(1);
});

test('the largest factorial fits its budget and the next one does not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: minMemoryBytes, max: 8192 * mebibyte }),
      fc.integer({ min: 1, max: 8 }),
      (bytes, threads) => {
        const given = budget({ memoryBytes: bytes, threads });
        const largest = largestFactorial(given);
        expect(planFactorial(largest, given).memoryBytes).toBeLessThanOrEqual(bytes);
        expect(() => planFactorial(largest + 1n, given)).toThrow(PlanCapacityError);
      },
    ),
    { numRuns: 20 },
  );
});

test('more memory never holds less', () => {
  let previous = 0n;
  for (let bytes = minMemoryBytes; bytes <= 64 * minMemoryBytes; bytes *= 2) {
    const largest = largestFactorial(budget({ memoryBytes: bytes }));
    expect(largest).toBeGreaterThanOrEqual(previous);
    previous = largest;
  }
});

test('what does not fit is refused with what would', () => {
  const given = budget({ memoryBytes: minMemoryBytes, engine: 'gmp' });
  const error = captureError(() => planFactorial(3_000_000, given));
  expect(error).toBeInstanceOf(PlanCapacityError);
  const { message, largestPossible } = error as PlanCapacityError;
  expect(message).toMatch(
    /^3000000! needs \d+ MiB of memory, the budget has 64 MiB of memory and 0 MiB of scratch; give it that much, or ask for less/,
  );
  expect(largestPossible).toBe(largestFactorial(given));
  const neededMebibytes = Number(/needs (\d+) MiB/.exec(message)?.[1]);
  const remedied = budget({ memoryBytes: neededMebibytes * mebibyte, engine: 'gmp' });
  expect(planFactorial(3_000_000, remedied).n).toBe('3000000');
});

test.each([
  [10n ** 9n, '8565705523', '249999998'],
  [10n ** 10n, '95657055187', '2499999997'],
  [10n ** 12n, '11565705518104', '249999999997'],
  [6_561_101_970_383n, '81244041273654', undefined],
])(
  'a plan of %s! is exact in digits and zeros, and says what it would take where it does not fit',
  (n, digits, zeros) => {
    const tight = budget({ memoryBytes: 2 ** 30 });
    const error = captureError(() => planFactorial(n, tight)) as PlanCapacityError;
    expect(error).toBeInstanceOf(PlanCapacityError);
    const needed = error.needed!;
    expect(needed).toMatchObject({ n: `${n}`, digitCount: digits, storage: 'scratch' });
    if (zeros !== undefined) expect(needed.trailingZeros).toBe(zeros);
    expect(needed.memoryBytes).toBeLessThanOrEqual(2 ** 30);
    // The product and its residues, read and written more than once.
    expect(needed.scratchBytes).toBeGreaterThan(Number(digits));
    expect(needed.ioBytes).toBeGreaterThan(4 * needed.scratchBytes);
    expect(needed.estimatedSeconds).toBeGreaterThan(Number(digits) * 1e-8);
    expect(error.message).toContain(`a folder with ${Math.ceil(needed.scratchBytes / mebibyte)} MiB`);
    const scratch = { scratchBytes: needed.scratchBytes, scratchDir: '/nowhere' };
    expect(planFactorial(n, budget({ memoryBytes: 2 ** 30, ...scratch }))).toEqual(needed);
    const less = { ...scratch, scratchBytes: Math.floor(needed.scratchBytes / 2) };
    expect(() => planFactorial(n, budget({ memoryBytes: 2 ** 30, ...less }))).toThrow(PlanCapacityError);
  },
);

test('what fits memory but not one WASM memory lives in shared memory, and the plan says why', () => {
  const plan = planFactorial(10n ** 9n, budget({ memoryBytes: 2 ** 35 }));
  expect(plan).toMatchObject({ storage: 'shared-memory', scratchBytes: 0, ioBytes: 0 });
  expect(plan.storageReason).toMatch(/not one WASM memory/);
  expect(plan.memoryBytes).toBeGreaterThan(2 ** 33);
  expect(plan.memoryBytes).toBeLessThanOrEqual(2 ** 35);
});

test('an n beyond 2^53 is refused as such', () => {
  const error = captureError(() => planFactorial(2n ** 53n, budget({ memoryBytes: Number.MAX_SAFE_INTEGER })));
  expect((error as PlanCapacityError).message).toMatch(/cannot be computed .*exact below 2\^53/);
  expect((error as PlanCapacityError).needed).toBeUndefined();
});

test.each([10n ** 9n, 2n ** 32n, 10n ** 18n, 10n ** 19n - 1n])('%s! on GMP is refused whatever the memory', (n) => {
  const given = budget({ engine: 'gmp', memoryBytes: Number.MAX_SAFE_INTEGER });
  expect(() => planFactorial(n, given)).toThrow(/2 GiB of one WASM memory.*largest n that fits is \d+$/);
});

test.each([
  { memoryBytes: 0 },
  { memoryBytes: minMemoryBytes - 1 },
  { memoryBytes: Number.NaN },
  { memoryBytes: Number.POSITIVE_INFINITY },
  { memoryBytes: 1e9 + 0.5 },
  { scratchBytes: -1 },
  { scratchBytes: 1 },
  { scratchBytes: 1, scratchDir: '' },
  { threads: 0 },
  { threads: 257 },
  { threads: 1.5 },
  { threads: '2' as unknown as number },
  { engine: 'abacus' as unknown as 'gmp' },
  { blockingSeconds: -0.1 },
  { blockingSeconds: 61 },
  { blockingSeconds: Number.NaN },
  { blockingSeconds: '1' as unknown as number },
])('the budget %o is refused', (overrides) => {
  expect(() => budget(overrides)).toThrow(InputError);
  expect(() => defaultBudget(overrides)).toThrow(InputError);
});

test('the default budget is valid, frozen and takes overrides', () => {
  const given = defaultBudget({ threads: 3 });
  expect(parseBudget(given)).toEqual(given);
  expect(Object.isFrozen(given)).toBe(true);
  expect(given.threads).toBe(3);
});

function captureError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
