import type { ResidueWorker } from '../../multiply/residue.ts';
import type { Team } from '../../multiply/team.ts';
import { locateTables, type ResidueArea } from '../../multiply/workspace.ts';
import { instantiateKernels, type KernelInstance } from '../../wasm/bridge.ts';
import type { DecimalArena, ThreadScratch } from './arena.ts';
import { ControlBlock, SharedTeam } from './control.ts';

/** What a run is on every thread: travels as the argument of its tasks, without copies. */
export interface DecimalShare {
  readonly arena: DecimalArena;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

/** One thread's view of a run. */
export interface ThreadState {
  readonly arena: DecimalArena;
  readonly instance: KernelInstance;
  readonly control: ControlBlock;
  readonly team: Team;
  readonly worker: ResidueWorker;
  readonly scratch: ThreadScratch;
  /** Residues of products that this thread makes by itself. */
  readonly ownArea: ResidueArea;
  /** Residues of products that the team makes together. */
  readonly teamArea: ResidueArea;
}

export function openThreadState(
  { arena, module, memory }: DecimalShare,
  threadIndex: number,
  instance = instantiateKernels(module, memory),
): ThreadState {
  const control = new ControlBlock(instance, arena);
  const scratch = arena.scratchPtrs[threadIndex]!;
  return {
    arena,
    instance,
    control,
    team: new SharedTeam(control, arena.threads),
    worker: {
      instance,
      tables: locateTables(arena.tablesPtr, arena.levels),
      scratchPtr: scratch.kernelPtr,
      togetherBytes: arena.tuning.togetherBytes,
    },
    scratch,
    ownArea: { ptr: scratch.areaPtr, bytes: scratch.areaBytes },
    teamArea: { ptr: arena.areaPtr, bytes: arena.areaBytes },
  };
}
