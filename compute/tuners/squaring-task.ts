/** One thread's part of tuners/squaring.ts: the whole program, then one squaring that gives as many limbs; milliseconds of both. */
import { runProgram } from '../src/engine/decimal/program.ts';
import { type DecimalShare, openThreadState } from '../src/engine/decimal/thread-state.ts';
import { multiplyResidue } from '../src/multiply/residue.ts';
import { asTask } from '../src/pool/as-task.ts';

export default asTask(({ share, threadIndex }: { readonly share: DecimalShare; readonly threadIndex: number }) => {
  const state = openThreadState(share, threadIndex);
  const { arena, team, worker, teamArea, control } = state;
  // All threads are here before the clock starts.
  team.run(share.arena.threads, () => undefined);
  const startMs = performance.now();
  runProgram(state);
  const programMs = performance.now() - startMs;
  const half = { ptr: arena.resultPtr, limbCount: 8 * Math.floor(control.resultLimbs / 16) };
  team.run(share.arena.threads, () => undefined);
  const squareMs = performance.now();
  multiplyResidue(team, worker, teamArea, half, half, arena.resultPtr);
  return { programMs, squaringMs: performance.now() - squareMs };
});
