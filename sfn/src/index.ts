export {
  type ChildProcessOptions,
  childProcessTaskHandlers,
  type EndedTask,
  type StartedTask,
} from './child-process-handlers.ts';
export {
  type StepFunctionsEndpoint,
  type StepFunctionsEndpointOptions,
  startStepFunctionsEndpoint,
} from './endpoint/step-functions-endpoint.ts';
export { inProcessTaskHandlers } from './in-process-handlers.ts';
export { awsTaskSizes } from './plan/aws-task-sizes.ts';
export { localTaskSizes } from './plan/local-task-sizes.ts';
export type { TaskClass, TaskSize } from './plan/task-size.ts';
export {
  definitionUrl,
  functionResources,
  loadStateMachine,
  runTaskResource,
  type TaskHandlers,
  type TaskResource,
} from './state-machine.ts';
export { defaultHandoffLeaseMs, type TaskOptions } from './task-options.ts';
export {
  openTaskServices,
  type ServiceOpeners,
  serviceOpeners,
  type TaskServices,
} from './task-services.ts';
export { runTask, type TaskName, taskNames } from './tasks/run-task.ts';
