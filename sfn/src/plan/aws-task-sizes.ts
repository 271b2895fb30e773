import type { TaskSize } from './task-size.ts';

/** Memory of the functions that calculate and verify, MiB: the most there is. */
export const lambdaMemoryMiB = 10_240;
/** Their /tmp, MiB: the most there is. */
export const lambdaStorageMiB = 10_240;
/** Their time limit: the most there is. */
export const lambdaTimeoutSeconds = 900;
/** Six vCPUs come with that memory. */
const lambdaThreads = 6;
/** Estimates are good to a small factor: only what is expected in a third of the limit runs in a function. */
export const lambdaMaxSeconds = lambdaTimeoutSeconds / 3;
/** Twenty days: the state of the definition ends a container after that. */
const fargateMaxSeconds = 1_728_000;
/** Least and most scratch disk of a container, GiB. */
export const fargateStorageMinGiB = 21;
export const fargateStorageMaxGiB = 200;

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
/** The runtime itself, its heap and the parts of the upload in flight: not for the calculation. */
const runtimeReserveMiB = 1_024;
/** Of the scratch disk, for image layers and logs. */
const storageReserveGiB = 6;

/** Valid pairs of CPU units and MiB, cheapest first. */
const fargatePairs = [
  [2_048, 8_192],
  [4_096, 16_384],
  [4_096, 30_720],
  [8_192, 61_440],
  [16_384, 122_880],
] as const;

/**
 * The machines on AWS, cheapest first. Estimates above `functionMaxSeconds` (at most a third of a function's limit) go to containers;
 * `scratchDirectory` is where each of them has its disk.
 */
export function awsTaskSizes(functionMaxSeconds = lambdaMaxSeconds, scratchDirectory = '/tmp'): readonly TaskSize[] {
  const lambda: TaskSize = {
    class: 'lambda',
    cpu: '0',
    memory: String(lambdaMemoryMiB),
    ephemeralStorageMaxGiB: lambdaStorageMiB / 1024,
    budget: {
      memoryBytes: (lambdaMemoryMiB - runtimeReserveMiB) * mebibyte,
      scratchBytes: (lambdaStorageMiB - 512) * mebibyte,
      scratchDir: scratchDirectory,
      threads: lambdaThreads,
      engine: 'auto',
    },
    maxSeconds: Math.min(functionMaxSeconds, lambdaMaxSeconds),
  };
  const containers = fargatePairs.map(
    ([cpuUnits, memoryMiB]): TaskSize => ({
      class: 'fargate',
      cpu: String(cpuUnits),
      memory: String(memoryMiB),
      ephemeralStorageMaxGiB: fargateStorageMaxGiB,
      budget: {
        memoryBytes: (memoryMiB - runtimeReserveMiB) * mebibyte,
        scratchBytes: (fargateStorageMaxGiB - storageReserveGiB) * gibibyte,
        scratchDir: scratchDirectory,
        threads: cpuUnits / 1024,
        engine: 'auto',
      },
      maxSeconds: fargateMaxSeconds,
    }),
  );
  return Object.freeze([lambda, ...containers]);
}

/** Scratch disk for a plan that needs so many bytes, GiB. */
export function ephemeralStorageGiB(scratchBytes: number): number {
  return Math.max(fargateStorageMinGiB, Math.ceil(scratchBytes / gibibyte) + storageReserveGiB);
}
