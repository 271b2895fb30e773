import type { DecimalArena } from '../../src/engine/decimal/arena.ts';
import { planArena } from '../../src/engine/decimal/price.ts';
import { placeBasePrimes } from '../../src/engine/decimal/segment-products.ts';
import { openThreadState, type ThreadState } from '../../src/engine/decimal/thread-state.ts';
import type { Team } from '../../src/multiply/team.ts';
import { placeTables } from '../../src/multiply/workspace.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { compileKernels, createMemory } from '../../src/wasm/bridge.ts';

/** A run of n! on the calling thread alone, set up as the engine does, not yet started. `team` may replace the phases' executor. */
export function openRun(n: number, debug: boolean, team?: Team): ThreadState & { readonly arena: DecimalArena } {
  const arena = planArena(factorialFacts(BigInt(n)), 1);
  if (arena === undefined) throw new RangeError(`no arena for ${n}`);
  const memory = createMemory(arena.totalBytes);
  const state = openThreadState({ arena, module: compileKernels(debug), memory }, 0);
  placeTables(state.instance, arena.tablesPtr, arena.levels);
  placeBasePrimes(state.instance, arena);
  state.instance.kernels.fillResidueTable(arena.residueTablePtr);
  return team === undefined ? state : { ...state, team };
}
