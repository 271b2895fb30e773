import { asTask } from '../pool/as-task.ts';
import { factorialResidues } from './factorial-residue.ts';

export interface ResidueTask {
  readonly n: number;
  readonly moduli: readonly bigint[];
}

/** `factorialResidues` on a thread of the pool. */
export default asTask((task: ResidueTask): bigint[] => factorialResidues(task.n, task.moduli));
