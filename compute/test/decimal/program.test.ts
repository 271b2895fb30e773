import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/engine/decimal/program.ts';
import type { ThreadState } from '../../src/engine/decimal/thread-state.ts';
import { KernelError } from '../../src/errors.ts';
import { trailingZeroCount } from '../../src/factorial/exponents.ts';
import { readBigInt } from '../../src/limbs/decimal-number.ts';
import { aloneTeam, type Team } from '../../src/multiply/team.ts';
import { carryBytes } from '../../src/multiply/workspace.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { seededRandom } from './random.ts';
import { openRun } from './run-state.ts';

describe('the program of a run, every kernel asserting its ranges', () => {
  test.each([2, 3, 4, 5, 6, 7, 10, 25, 26, 99, 1000, 4095, 4096, 4097, 20_000, 70_001])('%i! / 10^z is right', (n) => {
    const state = openRun(n, true);
    runProgram(state);
    const result = readBigInt(state.instance, { ptr: state.arena.resultPtr, limbCount: state.control.resultLimbs });
    expect(result === factorialNaive(n) / 10n ** trailingZeroCount(BigInt(n))).toBe(true);
  });
});

type Region = 'twiddles' | 'residues' | 'planes' | 'result' | 'prime powers';

/** Address range of a region whose every bit matters at the time it is hit. */
function regionOf(state: ThreadState, region: Region, random: () => number): number {
  const { arena, instance, worker } = state;
  const pick = (ptr: number, bytes: number) => ptr + Math.floor(random() * bytes);
  if (region === 'twiddles') {
    // The r-table of one prime, quotients among them.
    const prime = Math.floor(random() * worker.tables.contextPtrs.length);
    return pick(instance.words[(worker.tables.contextPtrs[prime]! + 80) >> 2]!, 32 * 4);
  }
  if (region === 'residues') return pick(arena.areaPtr + carryBytes, 4096);
  if (region === 'planes') return pick(arena.heapPtrs[0], 64);
  if (region === 'prime powers') return pick(arena.residuesPtr, 16 * arena.segmentCount);
  return pick(arena.resultPtr, 4 * arena.limbCount - 4);
}

describe('a flipped bit', () => {
  const n = 60_000;

  /** Runs the phases on this thread and damages one bit after phase `moment`; undefined = never. Counts the phases. */
  function damagedRun(
    region: Region,
    moment: number | undefined,
    random: () => number,
  ): { phases: number; error: unknown } {
    let phases = 0;
    const team: Team = {
      ...aloneTeam,
      run(count, task) {
        aloneTeam.run(count, task);
        if (phases++ !== moment) return;
        const ptr = regionOf(state, region, random);
        state.instance.bytes[ptr]! ^= 1 << Math.floor(random() * 8);
      },
    };
    const state = openRun(n, false, team);
    try {
      runProgram(state);
      return { phases, error: undefined };
    } catch (error) {
      return { phases, error };
    }
  }

  test('nowhere is no error', () => {
    expect(damagedRun('result', undefined, Math.random).error).toBeUndefined();
  });

  test.each<[Region, number | 'late']>([
    ['twiddles', 0],
    ['planes', 1],
    ['prime powers', 1],
    ['residues', 'late'],
    ['result', 'late'],
  ])('in the %s fails the run as unverified', (region, moment) => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const { phases } = damagedRun(region, undefined, random);
    // Late: the last product is between its lanes (residues), or has just been written (result).
    const at = moment !== 'late' ? moment : region === 'residues' ? phases - 6 : phases - 3;
    for (let round = 0; round < 5; round++) {
      const { error } = damagedRun(region, at, random);
      expect(error, `seed ${seed}, round ${round}, ${phases} phases`).toBeInstanceOf(KernelError);
      expect((error as KernelError).code).toBe('verification-failed');
    }
  });
});

describe('a thread that joins', () => {
  test('in the place of one that was lost stops the run', () => {
    const { control } = openRun(100, true);
    control.join(0);
    expect(() => control.join(0)).toThrow(/was lost/);
    expect(() => control.assertRunning()).toThrow(/stopped/);
  });
});
