import { runDecimal } from '../../src/engine/decimal/run.ts';
import type { EngineRun } from '../../src/engine/engine.ts';
import { defaultBudget } from '../../src/plan/budget.ts';
import { factorialFacts, withSource } from '../../src/plan/plan-factorial.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { ProgressMeter } from '../../src/progress-meter.ts';
import type { StoredFactorial } from '../../src/source/stored-factorial.ts';

/** n! in memory from the given digits of m!, whether that is quicker or not, as text. */
export async function memoryRun(
  n: number,
  m: number,
  source: Pick<StoredFactorial, 'digits' | 'sha256'>,
  threads: number,
  pool: TaskPool,
  signal = new AbortController().signal,
): Promise<string> {
  const facts = withSource(factorialFacts(BigInt(n)), { m: BigInt(m), bytesPerSecond: 1e9 });
  const run: EngineRun = {
    facts,
    budget: defaultBudget(),
    plan: {
      n: `${n}`,
      digitCount: `${facts.digitCount}`,
      trailingZeros: `${facts.trailingZeros}`,
      engine: 'decimal',
      storage: 'memory',
      storageReason: 'for the test',
      estimatedSeconds: 0,
      threads,
      memoryBytes: 0,
      scratchBytes: 0,
      ioBytes: 0,
    },
    pool,
    signal,
    meter: new ProgressMeter(1e9, undefined),
    source,
    own: () => undefined,
  };
  const digits = await runDecimal(run);
  const parts: Buffer[] = [];
  for await (const chunk of digits.chunks()) parts.push(Buffer.from(chunk));
  const zeros = Number(facts.trailingZeros - (digits.zerosIncluded ?? 0n));
  return Buffer.concat(parts).toString('latin1') + '0'.repeat(zeros);
}

/** The text as a source, in chunks of `chunkBytes`. */
export function sourceOf(text: string | Uint8Array, chunkBytes = 65_536): Pick<StoredFactorial, 'digits'> {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  return {
    async *digits() {
      for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
    },
  };
}
