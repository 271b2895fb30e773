import { KernelError } from '../../errors.ts';
import { fillTableTask, tableTaskCount } from '../../multiply/workspace.ts';
import { type ResultResidues, residuesOfResult } from './check-result.ts';
import { multiplyPlanes } from './plane-products.ts';
import { multiplyChain } from './power-chain.ts';
import { multiplySegment } from './segment-products.ts';
import { multiplySource } from './source-product.ts';
import type { ThreadState } from './thread-state.ts';

/** Progress in millionths: what the segments, and the products of the planes, take of a run; the rest is the chain's. */
const segmentsShare = 200_000;
const planesShare = 150_000;

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
  const tableTasks = tableTaskCount(arena.levels);
  team.run(tableTasks, (task) => fillTableTask(instance, worker.tables, task, worker.scratchPtr));
  team.run(arena.segmentCount, (task) => {
    multiplySegment(state, task);
    control.addProgress(segmentsShare / arena.segmentCount);
  });
  const planes = multiplyPlanes(state);
  control.addProgress(planesShare / arena.threads);
  const product = multiplyChain(state, planes.products, planes.spareHeapPtr, 1_000_000 - segmentsShare - planesShare);
  const result = arena.sourceNumber === 0 ? product : multiplySource(state, product);
  const residues = residuesOfResult(state, result);
  if (residues.expected.some((residue, index) => residue !== residues.found[index])) {
    const message = `the limbs of ${arena.n}! are wrong: expected residues ${residues.expected}, got ${residues.found}`;
    throw new KernelError(message, { code: 'verification-failed' });
  }
  return residues;
}
