import { asTask } from '../../pool/as-task.ts';
import type { ResultResidues } from './check-result.ts';
import { runProgram } from './program.ts';
import { type DecimalShare, openThreadState } from './thread-state.ts';

export interface ProductTask {
  readonly share: DecimalShare;
  readonly threadIndex: number;
}

/** One thread's part of a run, start to end. All parts must run at the same time. */
export default asTask(({ share, threadIndex }: ProductTask): ResultResidues => {
  const state = openThreadState(share, threadIndex);
  state.control.join(threadIndex);
  return runProgram(state);
});
