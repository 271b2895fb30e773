import { type ExternalSettings, planExternal } from '../../src/engine/decimal/external/external-plan.ts';
import { externalWork } from '../../src/engine/decimal/external/external-work.ts';
import { computeInStore } from '../../src/engine/decimal/external/run-external.ts';
import type { EngineRun } from '../../src/engine/engine.ts';
import type { LimbStore } from '../../src/limbs/limb-store.ts';
import { defaultBudget } from '../../src/plan/budget.ts';
import { factorialFacts, withSource } from '../../src/plan/plan-factorial.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import type { ProgressListener } from '../../src/progress.ts';
import { ProgressMeter } from '../../src/progress-meter.ts';
import type { StoredFactorial } from '../../src/source/stored-factorial.ts';

export interface SmallRunOptions {
  readonly n: number;
  /** Bytes of all regions together: far less than any budget may name. */
  readonly memoryBytes: number;
  readonly threads: number;
  readonly pool: TaskPool;
  readonly store: LimbStore;
  readonly signal?: AbortSignal;
  /** The stored m! to start from. */
  readonly from?: { readonly m: number; readonly source: Pick<StoredFactorial, 'digits' | 'sha256'> };
  readonly onProgress?: ProgressListener;
  readonly settings?: ExternalSettings;
}

/** n! out of core in much less memory than any budget allows, as text. */
export async function smallRun(options: SmallRunOptions): Promise<string> {
  const { n, memoryBytes, threads, pool, store, onProgress } = options;
  const { from } = options;
  const afresh = factorialFacts(BigInt(n));
  const facts = from === undefined ? afresh : withSource(afresh, { m: BigInt(from.m), bytesPerSecond: 1e9 });
  const plan = planExternal(facts, memoryBytes, threads, options.settings);
  if (plan === undefined) throw new Error(`${n}! does not fit ${memoryBytes} bytes on ${threads} threads`);
  const run: EngineRun = {
    facts,
    budget: defaultBudget(),
    plan: {
      n: `${n}`,
      digitCount: `${facts.digitCount}`,
      trailingZeros: `${facts.trailingZeros}`,
      engine: 'decimal',
      storage: 'scratch',
      storageReason: 'for the test',
      estimatedSeconds: 0,
      threads,
      memoryBytes,
      scratchBytes: plan.scratchBytes,
      ioBytes: plan.readBytes + plan.writtenBytes,
    },
    pool,
    signal: options.signal ?? new AbortController().signal,
    meter: new ProgressMeter(Math.ceil(externalWork(facts, plan).total) + 1, onProgress),
    own: () => undefined,
    ...(from === undefined ? {} : { source: from.source }),
  };
  const digits = await computeInStore(run, plan, store);
  const parts: Buffer[] = [];
  for await (const chunk of digits.chunks()) parts.push(Buffer.from(chunk));
  return (
    Buffer.concat(parts).toString('latin1') + '0'.repeat(Number(facts.trailingZeros - (digits.zerosIncluded ?? 0n)))
  );
}
