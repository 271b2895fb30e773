import { KernelError } from '../../errors.ts';
import { fillTableTask, primeCount, tableTaskCount } from '../../multiply/workspace.ts';
import { type ResultResidues, residuesOfResult } from './check-result.ts';
import { multiplyPlanes } from './plane-products.ts';
import { multiplyChain } from './power-chain.ts';
import { multiplySegment } from './segment-products.ts';
import { multiplySource } from './source-product.ts';
import type { ThreadState } from './thread-state.ts';
import { arenaWork, segmentShares } from './work.ts';

/** What all of a run before emission counts as. */
export const programUnits = 2 ** 30;

/**
 * n! / 10^z from the sieve to verified limbs at arena.resultPtr: the program that every thread of a run executes. Phases: tables; segments; planes;
 * chain; the product with a stored m!, when there is one; residues. Throws `KernelError`, on all threads when on one.
 */
export function runProgram(state: ThreadState): ResultResidues {
  try {
    return runPhases(state);
  } catch (error) {
    state.control.stop();
    throw error;
  }
}

function runPhases(state: ThreadState): ResultResidues {
  const { arena, instance, team, worker, control } = state;
  const work = arenaWork(arena);
  const unit = programUnits / work.total;
  const shares = segmentShares(arena);
  const tableTasks = tableTaskCount(arena.levels);
  team.run(tableTasks, (task) => {
    fillTableTask(instance, worker.tables, task, worker.scratchPtr);
    // A table has a quarter of the entries of the one a depth below it.
    control.addProgress((0.75 * unit * work.tables) / primeCount / 4 ** Math.floor(task / primeCount));
  });
  team.run(arena.segmentCount, (task) => {
    multiplySegment(state, task);
    control.addProgress(unit * work.segments * shares[task]!);
  });
  const planes = multiplyPlanes(state);
  control.addProgress((unit * work.planes) / arena.threads);
  const product = multiplyChain(state, planes.products, planes.spareHeapPtr, unit * work.chain);
  team.weigh(unit * work.source);
  const result = arena.sourceNumber === 0 ? product : multiplySource(state, product);
  const residues = residuesOfResult(state, result);
  if (residues.expected.some((residue, index) => residue !== residues.found[index])) {
    const message = `the limbs of ${arena.n}! are wrong: expected residues ${residues.expected}, got ${residues.found}`;
    throw new KernelError(message, { code: 'verification-failed' });
  }
  return residues;
}
