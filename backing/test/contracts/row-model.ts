import type { Claim, ClaimOutcome, FactorialRow } from '../../src/metadata/metadata-store.ts';

/** One step of a random life of a few rows. `claim` picks one of the claims made so far, stale ones included. */
export interface Step {
  readonly op:
    | 'request'
    | 'claim'
    | 'renew'
    | 'upload'
    | 'complete'
    | 'fail'
    | 'giveUp'
    | 'release'
    | 'cancel'
    | 'endLeases';
  readonly n: number;
  readonly claim: number;
}

interface ModelRow {
  status: FactorialRow['status'];
  attempt: number;
  failures: number;
  interruptions: number;
  fence: bigint;
  owner: string | null;
  live: boolean;
}

export const modelLimits = { leaseMs: 600_000, maxInterruptions: 3 };
export const modelPolicy = { retryable: true, maxFailures: 3 };

/** What the rows should be: the rules of the interface once more, without a database, in the plainest words. */
export class RowModel {
  readonly rows = new Map<bigint, ModelRow>();
  max: bigint | null = null;

  request(n: bigint): boolean {
    const row = this.rows.get(n);
    if (row && row.status !== 'failed') return false;
    this.rows.set(n, {
      status: 'calculating',
      attempt: (row?.attempt ?? 0) + 1,
      failures: 0,
      interruptions: 0,
      fence: row?.fence ?? 0n,
      owner: null,
      live: false,
    });
    return true;
  }

  claim(n: bigint, owner: string): ClaimOutcome['kind'] {
    const row = this.rows.get(n);
    if (!row) return 'unknown';
    if (row.status === 'done' || row.status === 'failed') return 'settled';
    if (row.live) return 'leased';
    if (row.owner !== null) row.interruptions += 1;
    row.fence += 1n;
    if (row.interruptions >= modelLimits.maxInterruptions) {
      this.#settle(row, 'failed');
      return 'settled';
    }
    row.status = 'calculating';
    row.owner = owner;
    row.live = true;
    return 'claimed';
  }

  /** Whether a write under this claim is accepted. */
  owns(claim: Claim): boolean {
    const row = this.rows.get(claim.n);
    const unfinished = row?.status === 'calculating' || row?.status === 'uploading';
    return row !== undefined && unfinished && row.fence === claim.fence && row.owner === claim.owner;
  }

  renew(claim: Claim): void {
    this.#row(claim).live = true;
  }

  upload(claim: Claim): void {
    this.#row(claim).status = 'uploading';
  }

  complete(claim: Claim): void {
    const row = this.#row(claim);
    this.#settle(row, 'done');
    if (this.max === null || this.max < claim.n) this.max = claim.n;
  }

  fail(claim: Claim, retryable: boolean): 'retry' | 'failed' {
    const row = this.#row(claim);
    row.failures += 1;
    const outcome = retryable && row.failures < modelPolicy.maxFailures ? 'retry' : 'failed';
    this.#settle(row, outcome === 'retry' ? 'calculating' : 'failed');
    return outcome;
  }

  release(claim: Claim): void {
    this.#settle(this.#row(claim), 'calculating');
  }

  cancel(n: bigint): string {
    const row = this.rows.get(n);
    if (!row) return 'unknown';
    if (row.status === 'done' || row.status === 'failed') return row.status;
    row.fence += 1n;
    this.#settle(row, 'failed');
    return 'cancelled';
  }

  endLeases(): number {
    const live = [...this.rows.values()].filter((row) => row.live);
    for (const row of live) {
      row.live = false;
      row.fence += 1n;
    }
    return live.length;
  }

  #settle(row: ModelRow, status: FactorialRow['status']): void {
    row.status = status;
    row.owner = null;
    row.live = false;
  }

  #row(claim: Claim): ModelRow {
    const row = this.rows.get(claim.n);
    if (!row) throw new Error(`expected a row for ${claim.n}, got none`);
    return row;
  }
}
