import type { Budget } from '@factorial/compute';
import { lambdaMaxSeconds } from './aws-task-sizes.ts';
import type { TaskSize } from './task-size.ts';

const longestSeconds = 1_728_000;

/** This machine in both classes, so that the definition runs here as it does on AWS: short tasks as functions, long ones as containers. */
export function localTaskSizes(budget: Budget, functionMaxSeconds = lambdaMaxSeconds): readonly TaskSize[] {
  const here = { cpu: '1024', memory: '2048', ephemeralStorageMaxGiB: 200, budget };
  return Object.freeze([
    { ...here, class: 'lambda', maxSeconds: functionMaxSeconds },
    { ...here, class: 'fargate', maxSeconds: longestSeconds },
  ]);
}
