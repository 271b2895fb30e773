/**
 * Processor time and wall time of runs in a store, by phase, beside what the plan counts: the constants of
 * src/engine/decimal/external/external-seconds.ts. Usage: node compute/tuners/external-seconds.ts SCRATCH_FOLDER [n:MiB …]
 * Processor time is what counts on a machine with other work; wall time on one without.
 */
import { planOfBudget } from '../src/engine/decimal/external/external-price.ts';
import { computeFactorial, defaultBudget, planFactorial } from '../src/index.ts';
import { factorialFacts } from '../src/plan/plan-factorial.ts';

const [scratchDir = '/tmp', ...given] = process.argv.slice(2);
const cases = given.length > 0 ? given : ['10000000:128', '30000000:256', '100000000:512'];

for (const one of cases) {
  const [n = '0', mebibytes = '0'] = one.split(':');
  const memoryBytes = Number(mebibytes) * 2 ** 20;
  const budget = defaultBudget({ memoryBytes, scratchDir, scratchBytes: 2 ** 40, engine: 'decimal' });
  const plan = planFactorial(n, budget);
  if (plan.storage === 'memory') throw new Error(`expected an n beyond ${mebibytes} MiB, got ${n}`);
  const external = planOfBudget(factorialFacts(BigInt(n)), budget, plan.threads, plan.storage)!;
  const startMs = performance.now();
  const before = process.cpuUsage();
  const seconds: Record<string, string> = {};
  const note = (phase: string) => {
    const { user, system } = process.cpuUsage(before);
    const wall = ((performance.now() - startMs) / 1000).toFixed(1);
    seconds[phase] = `${wall} s (user ${(user / 1e6).toFixed(1)}, system ${(system / 1e6).toFixed(1)})`;
  };
  await using result = await computeFactorial(n, { budget, onProgress: ({ phase }) => note(phase) });
  for await (const _ of result.digits());
  note('all');
  console.log(`${n}! in ${mebibytes} MiB, ${plan.storage}: estimated ${plan.estimatedSeconds.toFixed(1)} s`);
  console.log('  until the end of', seconds);
  const { chainCost, readBytes, writtenBytes, threads } = external;
  const moved = { readGB: readBytes / 1e9, writtenGB: writtenBytes / 1e9 };
  console.log('  counted', { threads, costSeconds: chainCost / 1e9, ...moved });
}
