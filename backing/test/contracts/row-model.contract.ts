import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StaleLeaseError } from '../../src/contracts/errors.ts';
import type { Claim, MetadataStore } from '../../src/metadata/metadata-store.ts';
import type { MetadataStoreUnderTest } from './metadata-store.contract.ts';
import { modelLimits, modelPolicy, RowModel, type Step } from './row-model.ts';

const checksum = 'cd'.repeat(32);
const reason = { code: 'injected', message: 'by the property test' };

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('request' as const, 'renew', 'upload', 'fail', 'endLeases') },
    { weight: 4, arbitrary: fc.constant('claim' as const) },
    { weight: 2, arbitrary: fc.constantFrom('complete' as const, 'giveUp', 'release', 'cancel') },
  ),
  n: fc.integer({ min: 1, max: 3 }),
  claim: fc.nat(1_000),
});

/** Random lives of three rows, step by step against the model; a failure prints the seed and the shrunk steps. */
export function describeRowModelContract(name: string, makeStore: () => Promise<MetadataStoreUnderTest>): void {
  describe(name, () => {
    test('does with every row what the model of its life says, whatever the order of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const subject = await makeStore();
          try {
            await live(subject, steps);
          } finally {
            await subject.dispose();
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}

async function live({ store, heldAlone }: MetadataStoreUnderTest, steps: readonly Step[]): Promise<void> {
  const model = new RowModel();
  const claims: Claim[] = [];
  for (const [index, { op, n: small, claim: pick }] of steps.entries()) {
    const n = BigInt(small);
    if (op === 'request') {
      const { created } = await store.request({ n, digits: 5n, trailingZeros: 0n, client: 'c' });
      expect(created).toBe(model.request(n));
    } else if (op === 'claim') {
      const owner = `w${index}`;
      const outcome = await store.claim(n, owner, modelLimits);
      expect(outcome.kind).toBe(model.claim(n, owner));
      if (outcome.kind === 'claimed') claims.push(outcome.claim);
    } else if (op === 'cancel') {
      expect(await store.cancel(n)).toBe(model.cancel(n));
    } else if (op === 'endLeases') {
      expect(await store.releaseAllLeases()).toBe(heldAlone ? model.endLeases() : 0);
    } else if (claims.length > 0) {
      // Mostly the latest claim, now and then an old one.
      const claim = claims[pick % 4 === 0 ? pick % claims.length : claims.length - 1];
      if (claim) await write(store, model, op, claim);
    }
    await compare(store, model);
  }
}

async function write(store: MetadataStore, model: RowModel, op: Step['op'], claim: Claim): Promise<void> {
  const owned = model.owns(claim);
  const writes = {
    renew: [() => store.renew(claim, modelLimits.leaseMs), () => model.renew(claim)],
    upload: [() => store.markUploading(claim), () => model.upload(claim)],
    complete: [() => store.complete(claim, { size: 5n, checksum }), () => model.complete(claim)],
    fail: [() => store.fail(claim, reason, modelPolicy), () => model.fail(claim, true)],
    giveUp: [() => store.fail(claim, reason, { ...modelPolicy, retryable: false }), () => model.fail(claim, false)],
    release: [() => store.release(claim), () => model.release(claim)],
  } as const;
  const [real, modelled] = writes[op as keyof typeof writes];
  if (!owned && op !== 'release') {
    await expect(real()).rejects.toThrow(StaleLeaseError);
    return;
  }
  const outcome = await real();
  const expected = owned ? modelled() : undefined;
  if (op === 'fail' || op === 'giveUp') expect(outcome).toBe(expected);
}

async function compare(store: MetadataStore, model: RowModel): Promise<void> {
  let largestLive: bigint | null = null;
  const claimable: bigint[] = [];
  for (const n of [1n, 2n, 3n]) {
    const row = await store.find(n);
    const expected = model.rows.get(n);
    expect(row && pickModelled(row)).toEqual(
      expected && { ...pickModelled({ ...expected, leaseOwner: expected.owner }) },
    );
    if (expected?.live) largestLive = n;
    const unfinished = expected?.status === 'calculating' || expected?.status === 'uploading';
    if (unfinished && !expected.live) claimable.push(n);
    if (row) expect(await store.isObjectKeyLive(row.objectKey)).toBe(row.status !== 'failed');
  }
  const rows = [...model.rows.values()];
  const count = (...wanted: readonly string[]): bigint =>
    BigInt(rows.filter(({ status }) => wanted.includes(status)).length);
  expect(await store.usage()).toEqual({
    objectCount: count('done'),
    storedBytes: 5n * count('done'),
    reservedBytes: 5n * count('calculating', 'uploading'),
  });
  // Each attempt that has ended is there once: of a row requested anew, those before the present one as well.
  const ended = [...model.rows].flatMap(([n, { status, attempt }]) =>
    Array.from({ length: attempt }, (_, index) => `${n}/${index + 1}`).slice(
      0,
      status === 'done' || status === 'failed' ? attempt : attempt - 1,
    ),
  );
  const told = await store.unannounced(1_000);
  expect(told.map(({ number, attempt }) => `${number}/${attempt}`).sort()).toEqual(ended.sort());
  expect(await store.coordination()).toEqual({ maxFactorial: model.max, curFactorial: largestLive });
  expect((await store.claimable(10)).map((row) => row.n).sort()).toEqual(claimable);
}

function pickModelled(row: {
  readonly status: string;
  readonly attempt: number;
  readonly failures: number;
  readonly interruptions: number;
  readonly fence: bigint;
  readonly leaseOwner: string | null;
}) {
  const { status, attempt, failures, interruptions, fence, leaseOwner } = row;
  return { status, attempt, failures, interruptions, fence, leaseOwner };
}
