import { readFile } from 'node:fs/promises';
import type { TaskHandler, WorkflowDefinition } from '@factorial/backing';

/** Names under which the state machine calls its task handlers. */
export const taskResources = ['calculate'] as const;
export type TaskResource = (typeof taskResources)[number];

/** What the state machine calls, by resource. */
export type TaskHandlers = Readonly<Record<TaskResource, TaskHandler>>;

/** The state machine that computes large factorials, in Amazon States Language. */
export async function loadStateMachine(): Promise<WorkflowDefinition> {
  return JSON.parse(
    await readFile(new URL('../definition/factorial.asl.json', import.meta.url), 'utf8'),
  ) as WorkflowDefinition;
}
