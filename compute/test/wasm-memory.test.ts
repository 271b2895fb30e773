import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { wasmPeakBytes } from '../src/engine/gmp/price.ts';
import { runGmp } from '../src/engine/gmp/run.ts';
import { defaultBudget } from '../src/plan/budget.ts';
import { factorialFacts, planFactorial } from '../src/plan/plan-factorial.ts';
import { InlinePool } from '../src/pool/inline-pool.ts';
import { ProgressMeter } from '../src/progress-meter.ts';
import { gmpInitialMemoryBytes, gmpMaxMemoryBytes, type loadGmp } from '../src/wasm/gmp.ts';

/** The tasks run from the built files on this very thread, so that its one WASM memory sees what the busiest thread of a pool could. */
const built = (await import(new URL('../dist/wasm/gmp.js', import.meta.url).href)) as { loadGmp: typeof loadGmp };

/** Two shares, so that the whole product is one multiplication task, as with a pool of two. */
class InlinePoolOfTwo extends InlinePool {
  override readonly concurrency: number = 2;
}

async function runWhole(n: number): Promise<number> {
  const { signal } = new AbortController();
  const facts = factorialFacts(BigInt(n));
  const meter = new ProgressMeter(1, undefined);
  const budget = defaultBudget({ engine: 'gmp' });
  const pool = new InlinePoolOfTwo(signal);
  const engineDigits = await runGmp({
    facts,
    budget,
    plan: planFactorial(n, budget),
    pool,
    signal,
    meter,
    own: () => undefined,
  });
  let digitCount = 0n;
  for await (const text of engineDigits.chunks()) digitCount += BigInt(text.length);
  expect(digitCount).toBe(facts.digitCount - facts.trailingZeros);
  return Number(digitCount);
}

test('the peak of one WASM memory stays below its bound, and the bound is no more than three times it', async () => {
  const gmp = await built.loadGmp();
  expect(gmp.memoryBytes).toBeGreaterThanOrEqual(gmpInitialMemoryBytes);
  // Increasing, as the memory never shrinks; the last takes it beyond what it starts with.
  for (const n of [30_000, 300_000, 1_300_000]) {
    const significantDigits = await runWhole(n);
    const bound = wasmPeakBytes(significantDigits);
    expect(gmp.memoryBytes).toBeLessThanOrEqual(bound);
    expect(bound).toBeLessThanOrEqual(3 * gmp.memoryBytes);
  }
});

test.each([1, 2])('a process grows by no more than its plan says, on %i threads', (threads) => {
  const script = `
    import { computeFactorial, defaultBudget } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const beforeKib = process.resourceUsage().maxRSS;
    const result = await computeFactorial(600_000, { budget: defaultBudget({ threads: ${threads}, engine: 'gmp' }) });
    for await (const chunk of result.digits());
    const grownBytes = (process.resourceUsage().maxRSS - beforeKib) * 1024;
    console.log(JSON.stringify({ grownBytes, plannedBytes: result.plan.memoryBytes }));`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { grownBytes, plannedBytes } = JSON.parse(child.stdout) as { grownBytes: number; plannedBytes: number };
  expect(grownBytes).toBeLessThanOrEqual(plannedBytes);
});

test('the memory limits are those that the binding declares', () => {
  const { initial, maximum } = declaredMemoryPages();
  expect(initial * 65_536).toBe(gmpInitialMemoryBytes);
  expect(maximum * 65_536).toBe(gmpMaxMemoryBytes);
});

/** Initial and maximal pages in the memory section of the WASM binary inside the package. */
function declaredMemoryPages(): { initial: number; maximum: number } {
  const source = readFileSync(createRequire(import.meta.url).resolve('gmp-wasm/gmpmini.wasm.ts'), 'utf8');
  const base64 = /[A-Za-z0-9+/=]{1000,}/.exec(source)![0];
  const binary = inflateRawSync(Buffer.from(base64, 'base64'));
  let offset = 8;
  const readNumber = (): number => {
    let value = 0;
    for (let weight = 1; ; weight *= 128) {
      const byte = binary[offset++]!;
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
  };
  while (offset < binary.length) {
    const sectionId = binary[offset++];
    const sectionEnd = readNumber() + offset;
    if (sectionId === 5) {
      // One memory, with a maximum.
      expect([readNumber(), readNumber()]).toEqual([1, 1]);
      return { initial: readNumber(), maximum: readNumber() };
    }
    offset = sectionEnd;
  }
  throw new Error('the binary has no memory section');
}
