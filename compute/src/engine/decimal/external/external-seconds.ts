import { machineMemoryBytes } from '../../../plan/budget.ts';
import type { FactorialFacts } from '../../engine.ts';
import type { ExternalPlan } from './external-plan.ts';
import type { StoreKind } from './external-price.ts';

/**
 * Seconds of processor time on a core that does nothing else: per unit of the chain's estimated cost, per number of the sieve (leaves and planes included) with primes of one limb and of
 * two, per byte moved between a thread and files or shared memory, per digit of text. Chosen so that estimates lie near what tuners/external-seconds.ts
 * measures.
 */
const secondsPerCost = 0.9e-9;
const secondsPerNumber = { 1: 4e-8, 2: 8e-8 } as const;
const secondsPerMovedByte = { scratch: 0.37e-9, 'shared-memory': 0.13e-9 } as const;
const secondsPerDigit = 2e-9;
const secondsPerSourceDigit = 2.7e-9;
/** What sieving and residues take of `secondsPerNumber`. */
const siftShare = 0.25;
const startSeconds = 0.35;
/** What every step of the chain takes however small it is, all steps together. */
const stepsSeconds = 0.25;
/** What a disk writes and reads in a second, in bytes, in large blocks. Set by tuners/disk.ts. */
const diskBytesPerSecond = 250e6;
/** Shares of the memory beside the run: what the page cache holds of the files; what it keeps unwritten until the files are removed. */
const cacheShare = 0.7;
const unwrittenShare = 0.1;

/**
 * Seconds that n! takes out of core: the threads' work, or the disk's where that takes longer. What is written goes to the disk as far as the files exceed
 * what the page cache keeps back, what is read comes from it as far as they exceed the whole cache. Good to a small factor on other machines.
 */
export function estimateExternalSeconds(facts: FactorialFacts, plan: ExternalPlan, storage: StoreKind): number {
  const { threads, readBytes, writtenBytes, chainCost } = plan;
  const moved = secondsPerMovedByte[storage] * (readBytes + writtenBytes);
  const sieve = secondsPerNumber[plan.primeLimbs] * sievedNumbers(facts, plan);
  // The chain's cost is that of the threads together.
  const work = (moved + sieve) / Math.max(1, 0.9 * threads) + secondsPerCost * chainCost;
  const disk = storage === 'scratch' ? diskSeconds(plan) : 0;
  // The smaller the quotient by a stored m!, the more steps are done by one thread in a moment.
  const fixed = startSeconds + stepsSeconds * newShare(facts);
  return fixed + readingSeconds(facts) + Math.max(work, disk) + secondsPerDigit * Number(facts.digitCount);
}

/** Numbers that are sieved and multiplied; from a stored m! some are sieved for their residues alone, or multiplied in m! already. */
function sievedNumbers(facts: FactorialFacts, { n, sourceNumber }: ExternalPlan): number {
  return siftShare * (n + sourceNumber) + (1 - siftShare) * n * newShare(facts);
}

/** Share of the digits of n! that are not in a stored m! already. */
function newShare({ digitCount, source }: FactorialFacts): number {
  return source === undefined ? 1 : 1 - Number(source.digitCount) / Number(digitCount);
}

/** Before anything else, the digits of a stored m! come in. */
function readingSeconds({ source }: FactorialFacts): number {
  return source === undefined ? 0 : Number(source.digitCount) * (secondsPerSourceDigit + 1 / source.bytesPerSecond);
}

function diskSeconds({ scratchBytes, memoryBytes, readBytes, writtenBytes }: ExternalPlan): number {
  const besideBytes = Math.max(0, machineMemoryBytes() - memoryBytes);
  const beyond = (share: number) => Math.max(0, 1 - (share * besideBytes) / scratchBytes);
  return (beyond(unwrittenShare) * writtenBytes + beyond(cacheShare) * readBytes) / diskBytesPerSecond;
}
