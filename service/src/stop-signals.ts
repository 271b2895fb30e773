/** Exit codes by the signal that ended the process: 128 + its number. */
export const signalExitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof signalExitCodes;

/** One Ctrl-C reaches this process twice, from the terminal and from the program that started it. */
const sameSignalMs = 1_000;

/** Call `onStop` at the first SIGINT or SIGTERM. One that comes a second or more later ends the process at once. */
export function watchStopSignals(onStop: (signal: StopSignal) => void): void {
  let firstMs: number | undefined;
  for (const signal of Object.keys(signalExitCodes) as StopSignal[]) {
    process.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        onStop(signal);
      } else if (performance.now() - firstMs >= sameSignalMs) {
        process.exit(signalExitCodes[signal]);
      }
    });
  }
}
