import { InputError } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CorruptObjectError, StaleLeaseError, TransientError } from '../../src/contracts/errors.ts';
import type {
  Claim,
  ListCursor,
  MetadataStore,
  RequestLimits,
  RequestOutcome,
} from '../../src/metadata/metadata-store.ts';

/** A fresh, migrated store; `dispose` closes it and removes what it left. */
export interface MetadataStoreUnderTest {
  readonly store: MetadataStore;
  /** Another store on the same data where the adapter allows one, to race against; else the same store. */
  readonly rival: MetadataStore;
  /** Whether the store's process uses the data alone, so that it may end the leases it finds. */
  readonly heldAlone: boolean;
  dispose(): Promise<void>;
}

const limits = { leaseMs: 60_000, maxInterruptions: 3 };
const reason = { code: 'kernel-failed', message: 'a thread died' };
const retryTwice = { retryable: true, maxFailures: 3 };
const checksum = 'ab'.repeat(32);

export function describeMetadataStoreContract(name: string, makeStore: () => Promise<MetadataStoreUnderTest>): void {
  describe(`${name} keeps the metadata store contract`, () => {
    let subject: MetadataStoreUnderTest;
    let store: MetadataStore;

    beforeEach(async () => {
      subject = await makeStore();
      store = subject.store;
    });

    afterEach(async () => {
      await subject.dispose();
    });

    const request = (n: bigint, digits = 10n, client = 'alice') =>
      store.request({ n, digits, trailingZeros: 2n, client });

    const mustClaim = async (n: bigint, owner = 'w1', leaseMs = 60_000): Promise<Claim> => {
      const outcome = await store.claim(n, owner, { ...limits, leaseMs });
      if (outcome.kind !== 'claimed') throw new Error(`expected a claim of ${n}, got ${outcome.kind}`);
      return outcome.claim;
    };

    const finish = async (n: bigint, digits = 10n) => {
      await request(n, digits);
      const claim = await mustClaim(n);
      await store.markUploading(claim);
      return await store.complete(claim, { size: digits, checksum });
    };

    test('a cancellation is told to whoever listens in this process, once, and no longer than they do', async () => {
      const told: bigint[] = [];
      const stopListening = store.onCancel((n) => void told.push(n));
      await request(25n);
      await finish(26n);
      for (const n of [25n, 25n, 26n, 27n]) await store.cancel(n);
      expect(told).toEqual([25n]);
      stopListening();
      await request(25n);
      await store.cancel(25n);
      expect(told).toEqual([25n]);
    });

    describe('waiting for memory', () => {
      const waiting = { phase: 'waiting', done: 0, total: 10, reason: 'needs 900 MiB, 100 are left' };

      test('is noted on a row that nobody holds, and the sweep leaves it to whoever noted it', async () => {
        const { row } = await request(30n);
        expect(await store.noteWaiting(30n, row.attempt, waiting)).toBe(true);
        expect(await store.find(30n)).toMatchObject({ status: 'calculating', leaseOwner: null, progress: waiting });
        expect(await store.claimable(10, 60_000)).toEqual([]);
        expect(await store.claimable(10)).toEqual([{ n: 30n, attempt: 1 }]);
        await mustClaim(30n);
        expect((await store.find(30n))?.progress).toBeNull();
      });

      test('is over when the row was claimed, cancelled, requested anew, has ended, or never was', async () => {
        await request(31n);
        const claim = await mustClaim(31n);
        expect(await store.noteWaiting(31n, 1, waiting)).toBe(false);
        await store.release(claim);
        expect(await store.noteWaiting(31n, 1, waiting)).toBe(true);
        await store.cancel(31n);
        expect(await store.noteWaiting(31n, 1, waiting)).toBe(false);
        await request(31n);
        expect(await store.noteWaiting(31n, 1, waiting)).toBe(false);
        expect(await store.noteWaiting(31n, 2, waiting)).toBe(true);
        await finish(32n);
        expect(await store.noteWaiting(32n, 1, waiting)).toBe(false);
        expect(await store.noteWaiting(33n, 1, waiting)).toBe(false);
      });

      test('is noted again on a row whose lease ran out', async () => {
        await request(34n);
        await mustClaim(34n, 'w1', 1);
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect(await store.noteWaiting(34n, 1, waiting)).toBe(true);
      });
    });

    describe('the nearest stored results', () => {
      test('are done, below n, not below the bound, the largest first, and no more than asked for', async () => {
        for (const n of [40n, 41n, 45n, 2n ** 62n]) await finish(n);
        for (const n of [43n, 44n]) await request(n);
        await mustClaim(44n);
        await request(42n);
        await store.cancel(42n);
        const numbers = async (below: bigint, from: bigint, limit: number) =>
          (await store.doneBelow(below, from, limit)).map(({ n }) => n);
        expect(await numbers(45n, 0n, 10)).toEqual([41n, 40n]);
        expect(await numbers(46n, 41n, 10)).toEqual([45n, 41n]);
        expect(await numbers(46n, 0n, 1)).toEqual([45n]);
        expect(await numbers(40n, 0n, 10)).toEqual([]);
        expect(await numbers(2n ** 63n - 1n, 46n, 10)).toEqual([2n ** 62n]);
        expect((await store.doneBelow(41n, 0n, 1))[0]).toEqual(await store.find(40n));
      });

      test.each([
        [-1n, 0n, 1],
        [2n ** 63n, 0n, 1],
        [5n, -1n, 1],
        [5n, 0n, 0],
        [5n, 0n, 101],
      ])('are refused for the bounds %s, %s and %s', async (below, from, limit) => {
        await expect(store.doneBelow(below, from, limit)).rejects.toThrow(InputError);
      });
    });

    describe('requests', () => {
      test('a first request makes an unclaimed row, a second one leaves it alone', async () => {
        const first = await request(20n, 19n);
        expect(first.created).toBe(true);
        expect(first.row).toMatchObject({ n: 20n, status: 'calculating', attempt: 1, digits: 19n, trailingZeros: 2n });
        expect(first.row).toMatchObject({ size: null, checksum: null, leaseOwner: null, error: null, fence: 0n });
        expect(first.row.objectKey).toMatch(/^factorials\/20\/1-[0-9a-f]+\.txt$/);
        const second = await request(20n, 19n, 'bob');
        expect(second).toEqual({ row: first.row, created: false });
      });

      test('a hundred requests for one n at once make one row', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            (index % 2 ? store : subject.rival).request({ n: 7n, digits: 4n, trailingZeros: 1n, client: 'c' }),
          ),
        );
        expect(outcomes.filter((outcome) => outcome.created)).toHaveLength(1);
      });

      test('numbers beyond 2^53 come back exactly, up to 2^63 − 1', async () => {
        const n = 2n ** 63n - 1n;
        const odd = 2n ** 53n + 1n;
        await request(n, odd);
        await request(odd, n);
        expect(await store.find(n)).toMatchObject({ n, digits: odd });
        const claim = await mustClaim(odd);
        expect(await store.complete(claim, { size: n, checksum })).toMatchObject({ n: odd, size: n });
        expect(await store.coordination()).toEqual({ maxFactorial: odd, curFactorial: null });
        expect((await store.list(10)).rows.map((row) => row.n)).toContain(n);
      });

      test.each([-1n, 2n ** 63n, 10n ** 30n])('n = %s is refused as input, never wrapped or rounded', async (n) => {
        await expect(request(n)).rejects.toThrow(InputError);
        await expect(store.find(n)).rejects.toThrow(InputError);
        await expect(store.claim(n, 'w', limits)).rejects.toThrow(InputError);
        await expect(store.cancel(n)).rejects.toThrow(InputError);
      });

      test('a digit count that no 64-bit size can hold is refused', async () => {
        await expect(request(5n, 2n ** 63n)).rejects.toThrow(InputError);
      });

      test('a client name is bounded and may hold any text', async () => {
        await expect(request(1n, 1n, '')).rejects.toThrow(InputError);
        await expect(request(1n, 1n, 'x'.repeat(65))).rejects.toThrow(InputError);
        await expect(request(1n, 1n, 'a\0b')).rejects.toThrow(InputError);
        await expect(request(1n, 1n, 'a\ud800b')).rejects.toThrow(InputError);
        await request(2n, 1n, 'Alice ');
        expect(await store.countUnfinished('alice')).toBe(0);
        expect(await store.countUnfinished('Alice')).toBe(0);
        const strange = `'; drop table factorials; -- \u{1f600}`;
        await request(1n, 1n, strange);
        expect(await store.countUnfinished(strange)).toBe(1);
      });

      test('an unknown n is not found, not claimed, not cancelled', async () => {
        expect(await store.find(404n)).toBeUndefined();
        expect(await store.claim(404n, 'w', limits)).toEqual({ kind: 'unknown' });
        expect(await store.cancel(404n)).toBe('unknown');
      });

      test('unfinished calculations are counted per client until they end', async () => {
        await request(1n, 1n, 'alice');
        await request(2n, 1n, 'alice');
        await request(3n, 1n, 'bob');
        expect(await store.countUnfinished('alice')).toBe(2);
        const claim = await mustClaim(1n);
        await store.markUploading(claim);
        expect(await store.countUnfinished('alice')).toBe(2);
        await store.complete(claim, { size: 1n, checksum });
        await store.cancel(2n);
        expect(await store.countUnfinished('alice')).toBe(0);
        expect(await store.countUnfinished('bob')).toBe(1);
      });
    });

    describe('claims', () => {
      test('of a hundred claims of one row exactly one wins', async () => {
        await request(9n);
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 ? store : subject.rival).claim(9n, `w${index}`, limits)),
        );
        expect(outcomes.filter((outcome) => outcome.kind === 'claimed')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome.kind === 'leased')).toHaveLength(99);
      });

      test('a claim raises the fence, names its owner and gets an object key of its own', async () => {
        const { row } = await request(9n);
        const claim = await mustClaim(9n);
        expect(claim).toMatchObject({ n: 9n, owner: 'w1', fence: 1n, attempt: 1 });
        expect(claim.objectKey).not.toBe(row.objectKey);
        expect(await store.find(9n)).toMatchObject({ leaseOwner: 'w1', fence: 1n, objectKey: claim.objectKey });
      });

      test('a lease ends leaseMs after the claim by the clock of the store', async () => {
        await request(9n);
        await mustClaim(9n, 'w1', 60_000);
        const row = await store.find(9n);
        expect(row?.leaseUntil?.getTime()).toBe((row?.updatedAt.getTime() ?? 0) + 60_000);
      });

      test('renewing keeps a short lease alive; without it the row can be taken over', async () => {
        await request(9n);
        const claim = await mustClaim(9n, 'w1', 300);
        for (let round = 0; round < 6; round++) {
          await sleep(60);
          await store.renew(claim, 300);
          expect((await store.claim(9n, 'w2', limits)).kind).toBe('leased');
        }
        await sleep(320);
        const takenOver = await mustClaim(9n, 'w2');
        expect(takenOver.fence).toBe(claim.fence + 1n);
        expect(takenOver.objectKey).not.toBe(claim.objectKey);
        expect(await store.find(9n)).toMatchObject({ leaseOwner: 'w2', interruptions: 1, failures: 0 });
      });

      test('of a hundred take-overs of an expired lease exactly one wins and one interruption is counted', async () => {
        await request(9n);
        await mustClaim(9n, 'w1', 1);
        await sleep(20);
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 ? store : subject.rival).claim(9n, `w${index}`, limits)),
        );
        expect(outcomes.filter((outcome) => outcome.kind === 'claimed')).toHaveLength(1);
        expect(await store.find(9n)).toMatchObject({ interruptions: 1 });
      });

      test('a row interrupted too often fails with that reason instead of being taken over again', async () => {
        await request(9n);
        for (let round = 0; round < 3; round++) {
          await mustClaim(9n, 'w', 1);
          await sleep(15);
        }
        const outcome = await store.claim(9n, 'w', limits);
        expect(outcome).toMatchObject({
          kind: 'settled',
          row: { status: 'failed', interruptions: 3, leaseOwner: null, error: { code: 'interrupted-too-often' } },
        });
        expect(await store.coordination()).toEqual({ maxFactorial: null, curFactorial: null });
      });

      test('a worker whose lease ran out while nobody else took the row may still finish', async () => {
        await request(9n);
        const claim = await mustClaim(9n, 'w1', 1);
        await sleep(15);
        await store.renew(claim, 60_000);
        expect((await store.claim(9n, 'w2', limits)).kind).toBe('leased');
        expect((await store.complete(claim, { size: 10n, checksum })).interruptions).toBe(0);
      });

      test('a settled row is not claimed again', async () => {
        await finish(9n);
        expect(await store.claim(9n, 'w', limits)).toMatchObject({ kind: 'settled', row: { status: 'done' } });
        await request(8n);
        await store.cancel(8n);
        expect(await store.claim(8n, 'w', limits)).toMatchObject({ kind: 'settled', row: { status: 'failed' } });
      });

      test.each([0, -5, 1.5, Number.NaN, 1e12])('a lease of %s ms is refused', async (leaseMs) => {
        await request(9n);
        await expect(store.claim(9n, 'w', { ...limits, leaseMs })).rejects.toThrow(InputError);
        const claim = await mustClaim(9n);
        await expect(store.renew(claim, leaseMs)).rejects.toThrow(InputError);
      });
    });

    describe('the life of a row', () => {
      test('progress is recorded with the renewal and gone when the row is done', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        await store.renew(claim, 60_000, { phase: 'multiply', done: 3, total: 8 });
        expect((await store.find(9n))?.progress).toEqual({ phase: 'multiply', done: 3, total: 8 });
        await store.renew(claim, 60_000);
        expect((await store.find(9n))?.progress).toEqual({ phase: 'multiply', done: 3, total: 8 });
        expect((await store.complete(claim, { size: 10n, checksum })).progress).toBeNull();
      });

      test.each([
        [-1, 5],
        [6, 5],
        [1, Number.NaN],
        [0, Number.POSITIVE_INFINITY],
      ])('progress %s of %s is refused', async (done, total) => {
        await request(9n);
        const claim = await mustClaim(9n);
        await expect(store.renew(claim, 1_000, { phase: 'multiply', done, total })).rejects.toThrow(InputError);
      });

      test('a write that changes nothing still knows its row', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        // Many in one millisecond write the very same values.
        await Promise.all(Array.from({ length: 50 }, () => store.markUploading(claim)));
        await Promise.all(Array.from({ length: 50 }, () => store.renew(claim, 60_000)));
        expect(await store.find(9n)).toMatchObject({ status: 'uploading', leaseOwner: 'w1' });
      });

      test('calculating, uploading, done: size and checksum are set and the lease is gone', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        await store.markUploading(claim);
        expect(await store.find(9n)).toMatchObject({ status: 'uploading', leaseOwner: 'w1' });
        const row = await store.complete(claim, { size: 10n, checksum });
        expect(row).toMatchObject({ status: 'done', size: 10n, checksum, leaseOwner: null, leaseUntil: null });
        expect(row.objectKey).toBe(claim.objectKey);
        expect(await store.find(9n)).toEqual(row);
      });

      test('a size that is not the exact digit count is not published', async () => {
        await request(9n, 10n);
        const claim = await mustClaim(9n);
        await expect(store.complete(claim, { size: 9n, checksum })).rejects.toThrow(CorruptObjectError);
        expect(await store.find(9n)).toMatchObject({ status: 'calculating', size: null, leaseOwner: 'w1' });
        expect(await store.coordination()).toEqual({ maxFactorial: null, curFactorial: 9n });
      });

      test.each(['', 'AB'.repeat(32), 'zz'.repeat(32), 'ab'.repeat(31)])(
        'the checksum "%s" is refused',
        async (bad) => {
          await request(9n);
          const claim = await mustClaim(9n);
          await expect(store.complete(claim, { size: 10n, checksum: bad })).rejects.toThrow(InputError);
        },
      );

      test('a retryable failure gives the row back until maxFailures, then it fails with the reason', async () => {
        await request(9n);
        for (const expected of ['retry', 'retry', 'failed'] as const) {
          const claim = await mustClaim(9n);
          expect(await store.fail(claim, reason, retryTwice)).toBe(expected);
        }
        expect(await store.find(9n)).toMatchObject({ status: 'failed', failures: 3, error: reason, leaseOwner: null });
      });

      test('a failure that is not retryable fails at once', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        expect(await store.fail(claim, reason, { retryable: false, maxFailures: 9 })).toBe('failed');
      });

      test('a failure message of any length and content is kept, cut to a bound', async () => {
        await request(9n);
        const message = `\u0000'"\ud800 ${'x'.repeat(100_000)}`;
        await store.fail(await mustClaim(9n), { code: 'odd', message }, { retryable: false, maxFailures: 1 });
        const stored = (await store.find(9n))?.error?.message ?? '';
        expect(stored.length).toBeLessThanOrEqual(2_000);
        expect(stored.startsWith(`\u0000'"\ufffd xxx`)).toBe(true);
      });

      test('requesting a failed n starts a new attempt with fresh counters and a fence that never falls', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        await store.fail(claim, reason, { retryable: false, maxFailures: 1 });
        const again = await request(9n, 10n, 'bob');
        expect(again.created).toBe(true);
        expect(again.row).toMatchObject({
          status: 'calculating',
          attempt: 2,
          failures: 0,
          interruptions: 0,
          error: null,
        });
        expect(again.row.fence).toBe(claim.fence);
        const second = await mustClaim(9n);
        expect(second).toMatchObject({ attempt: 2, fence: claim.fence + 1n });
        expect(second.objectKey).toMatch(/^factorials\/9\/2-/);
        await expect(store.renew(claim, 1_000)).rejects.toThrow(StaleLeaseError);
        expect(await store.countUnfinished('bob')).toBe(1);
      });

      test('releasing gives the row back unharmed, at once claimable by others', async () => {
        await request(9n);
        const claim = await mustClaim(9n, 'w1');
        await store.release(claim);
        expect(await store.find(9n)).toMatchObject({ status: 'calculating', leaseOwner: null, failures: 0 });
        await mustClaim(9n, 'w2');
        expect(await store.find(9n)).toMatchObject({ interruptions: 0, leaseOwner: 'w2' });
      });

      test('cancelling an unfinished row fails it and makes its worker stop at the next write', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        expect(await store.cancel(9n)).toBe('cancelled');
        expect(await store.find(9n)).toMatchObject({
          status: 'failed',
          error: { code: 'cancelled' },
          leaseOwner: null,
        });
        await expect(store.renew(claim, 1_000)).rejects.toThrow(StaleLeaseError);
        expect(await store.cancel(9n)).toBe('failed');
        await request(9n);
        await expect(store.complete(claim, { size: 10n, checksum })).rejects.toThrow(StaleLeaseError);
      });

      test('a done row is not cancelled', async () => {
        const row = await finish(9n);
        expect(await store.cancel(9n)).toBe('done');
        expect(await store.find(9n)).toEqual(row);
      });

      test('reading is recorded for done rows only', async () => {
        await finish(9n);
        await store.touchRead(9n);
        const row = await store.find(9n);
        expect(row?.lastReadAt?.getTime()).toBeGreaterThanOrEqual(row?.updatedAt.getTime() ?? Number.NaN);
        await store.touchRead(9n);
        expect((await store.find(9n))?.lastReadAt).toEqual(row?.lastReadAt);
        await request(8n);
        await store.touchRead(8n);
        await store.touchRead(404n);
        expect((await store.find(8n))?.lastReadAt).toBeNull();
      });
    });

    describe('stale claims', () => {
      const makeStale: Readonly<Record<string, (claim: Claim) => Promise<unknown>>> = {
        'after a take-over': async () => {
          await sleep(40);
          await mustClaim(9n, 'w1');
        },
        'after being released': (claim) => store.release(claim),
        'after a counted failure': (claim) => store.fail(claim, reason, retryTwice),
        'after a final failure': (claim) => store.fail(claim, reason, { retryable: false, maxFailures: 1 }),
        'after completion': (claim) => store.complete(claim, { size: 10n, checksum }),
        'after cancellation': () => store.cancel(9n),
        'with a forged fence': async () => {},
      };

      test.each(Object.keys(makeStale))('are refused by every write %s, and nothing changes', async (how) => {
        await request(9n);
        const leaseMs = how === 'after a take-over' ? 20 : 60_000;
        const original = await mustClaim(9n, 'w1', leaseMs);
        await makeStale[how]?.(original);
        const claim = how === 'with a forged fence' ? { ...original, fence: original.fence + 1n } : original;
        const before = await store.find(9n);
        await expect(store.renew(claim, 60_000, { phase: 'p', done: 1, total: 2 })).rejects.toThrow(StaleLeaseError);
        await expect(store.markUploading(claim)).rejects.toThrow(StaleLeaseError);
        await expect(store.complete(claim, { size: 10n, checksum })).rejects.toThrow(StaleLeaseError);
        await expect(store.fail(claim, reason, retryTwice)).rejects.toThrow(StaleLeaseError);
        await store.release(claim);
        expect(await store.find(9n)).toEqual(before);
      });

      test('a claim under another name is refused', async () => {
        await request(9n);
        const claim = await mustClaim(9n);
        await expect(store.renew({ ...claim, owner: 'w2' }, 1_000)).rejects.toThrow(StaleLeaseError);
      });
    });

    describe('coordination', () => {
      test('max is the largest n done, cur the largest n under a live lease', async () => {
        expect(await store.coordination()).toEqual({ maxFactorial: null, curFactorial: null });
        await finish(50n);
        await finish(40n);
        for (const n of [10n, 30n, 20n]) await request(n);
        const claims = [await mustClaim(10n), await mustClaim(30n), await mustClaim(20n)] as const;
        expect(await store.coordination()).toEqual({ maxFactorial: 50n, curFactorial: 30n });
        await store.complete(claims[1], { size: 10n, checksum });
        expect(await store.coordination()).toEqual({ maxFactorial: 50n, curFactorial: 20n });
        await store.release(claims[2]);
        expect(await store.coordination()).toEqual({ maxFactorial: 50n, curFactorial: 10n });
        await store.fail(claims[0], reason, retryTwice);
        expect(await store.coordination()).toEqual({ maxFactorial: 50n, curFactorial: null });
      });

      test('cur forgets a lease that ran out, and one that was cancelled', async () => {
        await request(10n);
        await request(20n);
        await mustClaim(10n);
        await mustClaim(20n, 'w', 200);
        expect((await store.coordination()).curFactorial).toBe(20n);
        await sleep(220);
        expect((await store.coordination()).curFactorial).toBe(10n);
        await store.cancel(10n);
        expect((await store.coordination()).curFactorial).toBeNull();
      });

      test('claimable rows are the unleased unfinished ones, oldest first', async () => {
        for (const n of [3n, 1n, 2n, 5n, 6n]) {
          await request(n);
          await sleep(2);
        }
        await finish(4n);
        await mustClaim(1n);
        await mustClaim(2n, 'w', 1);
        await store.cancel(5n);
        await sleep(15);
        expect(await store.claimable(10)).toEqual([3n, 2n, 6n].map((n) => ({ n, attempt: 1 })));
        expect((await store.claimable(1)).map((row) => row.n)).toEqual([3n]);
      });

      test('a row just requested or given back is not claimable to whoever wants idle ones; a lease that ran out is', async () => {
        await request(1n);
        await request(2n);
        await mustClaim(2n, 'w', 1);
        await sleep(20);
        expect((await store.claimable(10, 60_000)).map((row) => row.n)).toEqual([2n]);
        expect((await store.claimable(10, 10)).map((row) => row.n)).toEqual([1n, 2n]);
        await store.release(await mustClaim(1n));
        expect((await store.claimable(10, 60_000)).map((row) => row.n)).toEqual([2n]);
      });

      test('done rows come least recently read first, and are removed only as they were found', async () => {
        for (const n of [3n, 1n, 2n]) {
          await finish(n);
          await sleep(5);
        }
        await request(9n);
        expect((await store.leastRecentlyRead(10)).map((row) => row.n)).toEqual([3n, 1n, 2n]);
        expect((await store.leastRecentlyRead(1, 2)).map((row) => row.n)).toEqual([2n]);
        await store.touchRead(3n);
        const [first, second, third] = await store.leastRecentlyRead(10);
        expect([first?.n, second?.n, third?.n]).toEqual([1n, 2n, 3n]);
        if (first === undefined || second === undefined || third === undefined) throw new Error('expected three rows');
        await store.touchRead(1n);
        expect(await store.removeDone(first)).toBe(false);
        expect((await store.find(1n))?.status).toBe('done');
        expect(await store.removeDone(third)).toBe(true);
        expect(await store.removeDone(third)).toBe(false);
        expect(await store.find(3n)).toBeUndefined();
        expect((await store.coordination()).maxFactorial).toBe(2n);
        expect(await store.isObjectKeyLive(third.objectKey)).toBe(false);
        const unfinished = await store.find(9n);
        expect(unfinished && (await store.removeDone(unfinished))).toBe(false);
        expect((await store.leastRecentlyRead(1)).map((row) => row.n)).toEqual([2n]);
        expect(await store.removeDone(second)).toBe(true);
        const last = await store.find(1n);
        expect(last && (await store.removeDone(last))).toBe(true);
        expect((await store.coordination()).maxFactorial).toBeNull();
        await request(3n);
        expect(await store.find(3n)).toMatchObject({ status: 'calculating', attempt: 1, checksum: null });
      });

      test('ending all leases makes their rows claimable where the store is held alone, and does nothing where it is shared', async () => {
        for (const n of [1n, 2n, 3n]) await request(n);
        await mustClaim(1n);
        const claim = await mustClaim(2n);
        await store.markUploading(claim);
        if (!subject.heldAlone) {
          // Other processes may be alive behind these leases.
          expect(await store.releaseAllLeases()).toBe(0);
          await store.renew(claim, 60_000);
          expect((await store.claimable(10)).map((row) => row.n)).toEqual([3n]);
          return;
        }
        expect(await store.releaseAllLeases()).toBe(2);
        expect(await store.releaseAllLeases()).toBe(0);
        const before = await store.find(2n);
        await expect(store.renew(claim, 60_000)).rejects.toThrow(StaleLeaseError);
        await expect(store.complete(claim, { size: 10n, checksum })).rejects.toThrow(StaleLeaseError);
        expect(await store.find(2n)).toEqual(before);
        expect((await store.claimable(10)).map((row) => row.n)).toEqual([1n, 2n, 3n]);
        await mustClaim(2n);
        expect(await store.find(2n)).toMatchObject({ status: 'calculating', interruptions: 1 });
      });

      test('requests within limits are exact however many ask at once through two stores', async () => {
        const ask = (limits: RequestLimits, client: string, base: number) =>
          Promise.all(
            Array.from({ length: 16 }, (_, index) =>
              (index % 2 === 0 ? store : subject.rival).requestWithin(
                { n: BigInt(base + index), digits: 10n, trailingZeros: 2n, client },
                limits,
              ),
            ),
          );
        const kinds = (outcomes: readonly RequestOutcome[], kind: string) =>
          outcomes.filter((outcome) => outcome.kind === kind).length;
        const byClient = await ask({ unfinishedMaxPerClient: 5 }, 'carol', 100);
        expect([kinds(byClient, 'accepted'), kinds(byClient, 'too-many-unfinished')]).toEqual([5, 11]);
        expect(await store.countUnfinished('carol')).toBe(5);
        await finish(1n, 30n);
        // 50 bytes reserved and 30 stored already.
        const byTotal = await ask({ totalMaxBytes: 119n }, 'dave', 200);
        expect([kinds(byTotal, 'accepted'), kinds(byTotal, 'store-full')]).toEqual([3, 13]);
        const byReserved = await ask({ reservedMaxBytes: 100n }, 'erin', 300);
        expect([kinds(byReserved, 'accepted'), kinds(byReserved, 'store-full')]).toEqual([2, 14]);
        expect(await store.usage()).toEqual({ objectCount: 1n, storedBytes: 30n, reservedBytes: 100n });
      });

      test('a request over a limit changes nothing, one that makes no work is never refused, a failed one counts again', async () => {
        const input = { n: 7n, digits: 10n, trailingZeros: 2n, client: 'carol' };
        const full = await store.requestWithin(input, { totalMaxBytes: 9n });
        expect(full).toEqual({
          kind: 'store-full',
          usage: { objectCount: 0n, storedBytes: 0n, reservedBytes: 0n },
        });
        expect(await store.find(7n)).toBeUndefined();
        expect(await store.requestWithin(input, { totalMaxBytes: 10n })).toMatchObject({
          kind: 'accepted',
          created: true,
        });
        const again = await store.requestWithin(input, { totalMaxBytes: 0n, unfinishedMaxPerClient: 0 });
        expect(again).toMatchObject({ kind: 'accepted', created: false });
        await store.cancel(7n);
        const before = await store.find(7n);
        expect(await store.requestWithin(input, { reservedMaxBytes: 9n })).toMatchObject({ kind: 'store-full' });
        expect(await store.requestWithin(input, { unfinishedMaxPerClient: 0 })).toEqual({
          kind: 'too-many-unfinished',
          unfinished: 0,
        });
        expect(await store.find(7n)).toEqual(before);
        expect(await store.requestWithin(input, { reservedMaxBytes: 10n })).toMatchObject({
          kind: 'accepted',
          created: true,
          row: { attempt: 2, status: 'calculating' },
        });
      });

      test('usage follows a result that is removed', async () => {
        const row = await finish(1n, 100n);
        await store.removeDone(row);
        await store.removeDone(row);
        expect(await store.usage()).toEqual({ objectCount: 0n, storedBytes: 0n, reservedBytes: 0n });
      });

      test('every end of an attempt waits to be announced until it was, oldest first, with what it was', async () => {
        const row = await finish(1n, 100n);
        await request(2n);
        await store.cancel(2n);
        await request(3n);
        await store.fail(await mustClaim(3n), reason, { retryable: false, maxFailures: 1 });
        await request(4n);
        await store.fail(await mustClaim(4n), reason, retryTwice);
        expect(await store.unannounced(10, 60_000)).toEqual([]);
        const events = await store.unannounced(10);
        expect(events).toEqual([
          { version: 1, event: 'done', number: '1', attempt: 1, digits: '100', checksum },
          { version: 1, event: 'failed', number: '2', attempt: 1, code: 'cancelled' },
          { version: 1, event: 'failed', number: '3', attempt: 1, code: reason.code },
        ]);
        expect(await store.unannounced(1)).toEqual(events.slice(0, 1));
        // The row may be gone before anybody was told.
        await store.removeDone(row);
        await store.announced(2n, 1);
        await store.announced(2n, 1);
        await store.announced(1n, 2);
        expect(await store.unannounced(10)).toEqual([events[0], events[2]]);
      });

      test('usage sums what is stored and what unfinished rows will need', async () => {
        expect(await store.usage()).toEqual({ objectCount: 0n, storedBytes: 0n, reservedBytes: 0n });
        await finish(1n, 100n);
        await finish(2n, 50n);
        await request(3n, 2n ** 63n - 1n);
        await request(4n, 2n ** 63n - 1n);
        await request(5n, 7n);
        await store.cancel(5n);
        expect(await store.usage()).toEqual({ objectCount: 2n, storedBytes: 150n, reservedBytes: 2n ** 64n - 2n });
      });

      test('the object keys of done and unfinished rows are live, no others', async () => {
        const done = await finish(1n);
        await request(2n);
        const stale = await mustClaim(2n, 'w', 1);
        await sleep(15);
        const current = await mustClaim(2n);
        expect(await store.isObjectKeyLive(done.objectKey)).toBe(true);
        expect(await store.isObjectKeyLive(current.objectKey)).toBe(true);
        expect(await store.isObjectKeyLive(stale.objectKey)).toBe(false);
        await store.cancel(2n);
        expect(await store.isObjectKeyLive(current.objectKey)).toBe(false);
        expect(await store.isObjectKeyLive('factorials/1/none.txt')).toBe(false);
      });
    });

    describe('the list', () => {
      test('pages through every row newest first, without gap or repeat, while rows are added', async () => {
        for (let n = 1n; n <= 25n; n++) await request(n);
        const seen: bigint[] = [];
        let after: ListCursor | undefined;
        let added = 1000n;
        do {
          const page = await store.list(4, after);
          seen.push(...page.rows.map((row) => row.n));
          after = page.next;
          await sleep(2);
          await request(added++);
        } while (after);
        expect(new Set(seen).size).toBe(seen.length);
        expect([...seen].sort((a, b) => Number(a - b))).toEqual(Array.from({ length: 25 }, (_, i) => BigInt(i + 1)));
      });

      test('orders by creation, then n, newest and largest first', async () => {
        for (const n of [5n, 9n, 7n]) await request(n);
        const { rows, next } = await store.list(1000);
        expect(next).toBeUndefined();
        const sorted = rows.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || Number(b.n - a.n));
        expect(rows).toEqual(sorted);
        expect(rows).toHaveLength(3);
      });

      test('an exactly full last page has no next', async () => {
        await request(1n);
        await request(2n);
        expect((await store.list(2)).next).toBeUndefined();
        expect((await store.list(1)).next).toMatchObject({ n: 2n });
      });

      test.each([0, 1001, 2.5])('a limit of %s is refused', async (limit) => {
        await expect(store.list(limit)).rejects.toThrow(InputError);
      });

      test('a cursor that is no time or no n is refused', async () => {
        await expect(store.list(5, { createdAt: new Date(Number.NaN), n: 1n })).rejects.toThrow(InputError);
        await expect(store.list(5, { createdAt: new Date(), n: -1n })).rejects.toThrow(InputError);
      });
    });

    test('migrating again, also from two stores at once, applies nothing', async () => {
      await request(1n);
      expect(await Promise.all([store.migrate(), subject.rival.migrate()])).toEqual([[], []]);
      expect(await store.find(1n)).toBeDefined();
    });

    test('closing waits for the calls under way', async () => {
      const requests = Array.from({ length: 20 }, (_, n) => request(BigInt(n)));
      await store.close();
      const outcomes = await Promise.all(requests);
      expect(outcomes.every((outcome) => outcome.created)).toBe(true);
    });

    test('after close every call says that the store is closed, and closing again is fine', async () => {
      await store.ping();
      await store.close();
      await store.close();
      await expect(store.ping()).rejects.toThrow(TransientError);
      await expect(store.find(1n)).rejects.toThrow(TransientError);
    });
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
