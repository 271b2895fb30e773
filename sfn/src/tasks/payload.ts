import { type Claim, type FactorialRow, PoisonMessageError } from '@factorial/backing';
import type { Budget } from '@factorial/compute';

/** A claim as it travels through the payloads: exact numbers as decimal strings. */
export interface ClaimPayload {
  readonly number: string;
  readonly owner: string;
  readonly fence: string;
  readonly attempt: number;
  readonly objectKey: string;
}

export interface PlanInput {
  readonly n: bigint;
  readonly attempt: number;
  /** Name of the execution. */
  readonly execution: string;
}

export interface CalculateInput {
  readonly claim: Claim;
  readonly budget: Budget;
}

export interface VerifyInput {
  readonly claim: Claim;
  readonly readbackMaxBytes: bigint;
}

export interface CleanUpInput {
  readonly n: bigint;
  readonly execution: string;
  /** What a state threw, in the words of the state machine. */
  readonly error: { readonly name: string; readonly cause: string };
}

type Members = Readonly<Record<string, unknown>>;

export function claimPayload({ n, owner, fence, attempt, objectKey }: Claim): ClaimPayload {
  return { number: n.toString(), owner, fence: fence.toString(), attempt, objectKey };
}

/** The claim that an execution holds on a row, from the row alone. */
export function claimOfRow(row: FactorialRow, owner: string): Claim {
  return { n: row.n, owner, fence: row.fence, attempt: row.attempt, objectKey: row.objectKey };
}

/** Who holds the row while this execution works on it. */
export function executionOwner(execution: string): string {
  return `execution:${execution}`;
}

export function parsePlanInput(input: unknown): PlanInput {
  const members = membersOf(input, 'an execution input');
  return {
    n: decimal(members, 'number'),
    attempt: positive(members, 'attempt'),
    execution: text(members, 'execution'),
  };
}

export function parseCalculateInput(input: unknown): CalculateInput {
  const members = membersOf(input, 'the input of a calculation');
  // The budget is checked where it is used: by the library.
  return { claim: parseClaim(members.claim), budget: membersOf(members.budget, 'a budget') as unknown as Budget };
}

export function parseVerifyInput(input: unknown): VerifyInput {
  const members = membersOf(input, 'the input of a verification');
  return { claim: parseClaim(members.claim), readbackMaxBytes: decimal(members, 'readbackMaxBytes') };
}

export function parsePublishInput(input: unknown): { readonly claim: Claim } {
  return { claim: parseClaim(membersOf(input, 'the input of a publication').claim) };
}

export function parseCleanUpInput(input: unknown): CleanUpInput {
  const members = membersOf(input, 'the input of a clean-up');
  const error = membersOf(members.error, 'an error with a name and a cause');
  return {
    n: decimal(members, 'number'),
    execution: text(members, 'execution'),
    error: { name: text(error, 'Error'), cause: typeof error.Cause === 'string' ? error.Cause : '' },
  };
}

export function parseClaim(value: unknown): Claim {
  const members = membersOf(value, 'a claim');
  return Object.freeze({
    n: decimal(members, 'number'),
    owner: text(members, 'owner'),
    fence: decimal(members, 'fence'),
    attempt: positive(members, 'attempt'),
    objectKey: text(members, 'objectKey'),
  });
}

function membersOf(value: unknown, expected: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new PoisonMessageError(`expected ${expected} as an object, got ${describe(value)}`);
}

function decimal(members: Members, name: string): bigint {
  const value = members[name];
  if (typeof value === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(value)) return BigInt(value);
  throw new PoisonMessageError(`expected ${name} as a decimal string of at most 19 digits, got ${describe(value)}`);
}

function positive(members: Members, name: string): number {
  const value = members[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new PoisonMessageError(`expected ${name} as an integer from 1, got ${describe(value)}`);
}

function text(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= 1_000) return value;
  throw new PoisonMessageError(`expected ${name} as text of 1 to 1,000 characters, got ${describe(value)}`);
}

function describe(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, 60);
}
