export {
  loadStateMachine,
  type TaskHandlers,
  type TaskResource,
  taskResources,
} from './state-machine.ts';
