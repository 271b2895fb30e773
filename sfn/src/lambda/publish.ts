import { awsTaskSizes } from '../plan/aws-task-sizes.ts';
import { functionHandler } from './function-handler.ts';

/** Entry point of the function that runs the task `publish`. */
export const handler = functionHandler('publish', ({ LARGE_FUNCTION_MAX_SECONDS }) =>
  awsTaskSizes(LARGE_FUNCTION_MAX_SECONDS),
);
