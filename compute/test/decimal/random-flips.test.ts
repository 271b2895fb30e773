import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { planArena } from '../../src/engine/decimal/price.ts';
import { runProgram } from '../../src/engine/decimal/program.ts';
import type { ThreadState } from '../../src/engine/decimal/thread-state.ts';
import { KernelError } from '../../src/errors.ts';
import { computeFactorial, defaultBudget, FileSink } from '../../src/index.ts';
import { readBigInt } from '../../src/limbs/decimal-number.ts';
import { tableBytes } from '../../src/multiply/prime-constants.ts';
import { aloneTeam, type Team } from '../../src/multiply/team.ts';
import { carryBytes, primeCount } from '../../src/multiply/workspace.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { keepThreads, takeThreads } from '../../src/pool/idle-threads.ts';
import { seededRandom } from './random.ts';
import { openRun } from './run-state.ts';

/** Large enough for the tree of the planes, three planes at a time, and transforms in four blocks. */
const n = 30_000;
const rounds = 40;

interface Span {
  readonly ptr: number;
  readonly bytes: number;
}

type Kind = 'limbs' | 'residues' | 'twiddles';

/** Wherever such data ever lies; some of it is dead at any one moment. */
function spansOf({ arena, instance, worker, scratch }: ThreadState, kind: Kind): readonly Span[] {
  if (kind === 'limbs') {
    const heaps = arena.heapPtrs.map((ptr) => ({ ptr, bytes: arena.heapBytes / 4 }));
    return [...heaps, { ptr: arena.resultPtr, bytes: 4 * arena.limbCount }];
  }
  if (kind === 'residues') {
    const areas = [arena, scratch].map(({ areaPtr, areaBytes }) => ({ ptr: areaPtr, bytes: areaBytes }));
    return areas.map(({ ptr, bytes }) => ({ ptr: ptr + carryBytes, bytes: bytes - carryBytes }));
  }
  const { r, s } = tableBytes(arena.levels);
  return worker.tables.contextPtrs.slice(0, primeCount).flatMap((contextPtr) => [
    { ptr: instance.words[(contextPtr + 80) >> 2]!, bytes: r },
    { ptr: instance.words[(contextPtr + 84) >> 2]!, bytes: s },
  ]);
}

interface Outcome {
  readonly phases: number;
  /** n! / 10^z as the run left it, or why it left nothing. */
  readonly result: bigint | undefined;
  readonly error: unknown;
}

/** A whole run on this thread that loses one random bit of the kind after phase `moment`; undefined = none. */
function run(kind: Kind, moment: number | undefined, random: () => number): Outcome {
  let phases = 0;
  const team: Team = {
    ...aloneTeam,
    run(count, task) {
      aloneTeam.run(count, task);
      if (phases++ !== moment) return;
      const spans = spansOf(state, kind);
      const { ptr, bytes } = spans[Math.floor(random() * spans.length)]!;
      state.instance.bytes[ptr + Math.floor(random() * bytes)]! ^= 1 << Math.floor(random() * 8);
    },
  };
  const state = openRun(n, false, team);
  try {
    runProgram(state);
    const { arena, control, instance } = state;
    const result = readBigInt(instance, { ptr: arena.resultPtr, limbCount: control.resultLimbs });
    return { phases, result, error: undefined };
  } catch (error) {
    return { phases, result: undefined, error };
  }
}

test.each<Kind>(['limbs', 'residues', 'twiddles'])(
  'a bit flipped anywhere in the %s at any moment is noticed, unless nobody reads it any more',
  (kind) => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const right = run(kind, undefined, random);
    expect(right.result).toBeDefined();
    let noticed = 0;
    for (let round = 0; round < rounds; round++) {
      const moment = Math.floor(random() * (right.phases - 1));
      const { result, error } = run(kind, moment, random);
      const label = `seed ${seed}, round ${round}, after phase ${moment} of ${right.phases}`;
      if (error === undefined) expect(result === right.result, label).toBe(true);
      else {
        expect(error, label).toBeInstanceOf(KernelError);
        expect((error as KernelError).code, label).toBe('verification-failed');
        noticed++;
      }
    }
    expect(noticed, `seed ${seed}`).toBeGreaterThan(0);
  },
);

describe('a bit flipped in the limbs when the product is there already', () => {
  const threads = 2;
  const budget = defaultBudget({ threads, engine: 'decimal', blockingSeconds: 0 });
  const idleThreadsMs = 60_000;

  afterAll(() => takeThreads(threads, true).end());

  test('is noticed in the text, and no file is published', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    // The memory that the run will have.
    const set = takeThreads(threads, true);
    const { bytes } = set.kernels(1);
    await keepThreads(set, idleThreadsMs);
    const folder = await mkdtemp(join(tmpdir(), 'random-flips-'));
    try {
      for (let round = 0; round < 12; round++) {
        const number = 20_001 + Math.floor(100_000 * random());
        const result = await computeFactorial(number, { budget, idleThreadsMs });
        const { resultPtr, limbCount } = planArena(factorialFacts(result.n), threads)!;
        bytes[resultPtr + Math.floor(4 * (limbCount - 1) * random())]! ^= 1 << Math.floor(8 * random());
        const { digitCount } = result;
        const written = new FileSink(join(folder, 'digits.txt')).write({ digits: result.digits(), digitCount });
        await expect(written, `seed ${seed}, round ${round}, ${number}!`).rejects.toMatchObject({
          code: 'verification-failed',
        });
        expect(await readdir(folder)).toEqual([]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
