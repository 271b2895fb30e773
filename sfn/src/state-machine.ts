import { readFile } from 'node:fs/promises';
import type { TaskHandler, WorkflowDefinition } from '@factorial/backing';
import type { TaskName } from './tasks/run-task.ts';

/** Resources of the definition's function states; deployment puts a function's ARN in each place. */
export const functionResources = {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: names of substitutions, as the definition spells them
  '${PlanFunctionArn}': 'plan',
  '${CalculateFunctionArn}': 'calculate',
  '${VerifyFunctionArn}': 'verify',
  '${PublishFunctionArn}': 'publish',
  '${CleanUpFunctionArn}': 'clean-up',
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: names of substitutions, as the definition spells them
} as const satisfies Readonly<Record<string, TaskName>>;

/** Resource of the states that run a container to its end. */
export const runTaskResource = 'arn:aws:states:::ecs:runTask.sync';

export type TaskResource = keyof typeof functionResources | typeof runTaskResource;

/** What the state machine calls, by resource. */
export type TaskHandlers = Readonly<Record<TaskResource, TaskHandler>>;

/** Where the definition is: the one file that is deployed, run here and tested. */
export const definitionUrl = new URL('../definition/factorial.asl.json', import.meta.url);

/** The state machine that computes large factorials, in Amazon States Language. */
export async function loadStateMachine(): Promise<WorkflowDefinition> {
  return JSON.parse(await readFile(definitionUrl, 'utf8')) as WorkflowDefinition;
}

/** Handlers for every resource of the definition: functions by the task they run, containers by their request. */
export function handlersByResource(
  callFunction: (name: TaskName) => TaskHandler,
  runContainer: TaskHandler,
): TaskHandlers {
  const functions = Object.entries(functionResources).map(
    ([resource, name]) => [resource, callFunction(name)] as const,
  );
  return { ...Object.fromEntries(functions), [runTaskResource]: runContainer } as TaskHandlers;
}
