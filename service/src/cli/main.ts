import { signalExitCodes, watchStopSignals } from '../stop-signals.ts';
import { parseCommandLine, UsageExit, usageExitCode } from './command-line.ts';
import { runRequest } from './run-request.ts';
import { version } from './version.ts';

async function main(): Promise<number> {
  const stop = new AbortController();
  let interrupted: number | undefined;
  watchStopSignals((signal) => {
    interrupted = signalExitCodes[signal];
    stop.abort(new Error(`stopped by ${signal}`));
  });
  try {
    const args = process.argv.slice(2);
    const write = {
      out: (text: string) => process.stdout.write(text),
      err: (text: string) => process.stderr.write(text),
    };
    if (args[0] === 'verify') {
      const { parseVerifyArguments, runVerify } = await import('./verify-command.ts');
      return await runVerify(parseVerifyArguments(args.slice(1), write), stop.signal);
    }
    if (args[0] === 'prune') {
      // The one command that needs the service's stores: what they load takes longer than a million factorial.
      const { runPrune } = await import('./prune-command.ts');
      await runPrune(args.slice(1), write, stop.signal);
      return 0;
    }
    const request = parseCommandLine(args, version, write);
    await runRequest(request, stop.signal);
    return 0;
  } catch (error) {
    if (error instanceof UsageExit) return error.exitCode;
    if (interrupted !== undefined) return interrupted;
    // The reader of the pipe has seen enough (`| head`): nothing went wrong.
    if (hasCode(error, 'sink-closed')) return 0;
    process.stderr.write(`factorial: ${error instanceof Error ? error.message : String(error)}\n`);
    return hasCode(error, 'invalid-input') ? usageExitCode : 1;
  }
}

/** By its code: an error that comes from outside the bundle is of another class of the same name. */
function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

process.exitCode = await main();
