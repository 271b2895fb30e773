import { existsSync } from 'node:fs';
import { type FactorialRow, readSettings } from '@factorial/backing';
import { parseSizeBytes } from '@factorial/backing/size-bytes';
import { pruneResults } from '@factorial/worker';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { openServices } from '../start/open-services.ts';
import { UsageExit, usageExitCode } from './command-line.ts';

/** Where the command writes. */
export interface CommandOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface PruneRequest {
  readonly untilBytes: number;
  readonly dryRun: boolean;
}

const details = `
The service is found by its settings, in the environment or in .env. On real services it goes on meanwhile; embedded results
belong to one process, so stop the service first. A result that is asked for again is calculated again.`;

/** `factorial prune`: remove stored results until the rest fits. One line a result on stdout, a summary at the end. Throws `UsageExit`. */
export async function runPrune(args: readonly string[], write: CommandOutput, signal: AbortSignal): Promise<void> {
  const { untilBytes, dryRun } = parsePrune(args, write);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings(process.env);
  const log = pino({ level: 'warn', base: null }, pino.destination(2));
  const services = await openServices(settings, log);
  try {
    const verb = dryRun ? 'would remove' : 'removed';
    const onRemoved = (row: FactorialRow): void =>
      write.out(`${verb} ${row.n}! (${row.size} bytes, last read ${row.lastReadAt?.toISOString() ?? 'never'})\n`);
    const summary = await pruneResults(services, { untilBytes: BigInt(untilBytes), dryRun, onRemoved }, signal);
    write.out(
      `${verb} ${summary.removedCount} results, ${summary.removedBytes} bytes; ${summary.keptBytes} bytes stay\n`,
    );
  } finally {
    await services.close();
  }
}

function parsePrune(args: readonly string[], write: CommandOutput): PruneRequest {
  const command = new Command('factorial prune')
    .description('Remove stored results of the service, the least recently read first.')
    .requiredOption(
      '--until <size>',
      'stop when the results left hold at most this, such as 50GiB; 0 removes all',
      parseSize,
    )
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .helpOption('-h, --help')
    .addHelpText('after', details)
    .showHelpAfterError('(factorial prune --help explains every option)')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write.out, writeErr: write.err })
    .exitOverride();
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new UsageExit(error.exitCode === 0 ? 0 : usageExitCode);
    throw error;
  }
  const options = command.opts<{ until: number; dryRun?: boolean }>();
  return Object.freeze({ untilBytes: options.until, dryRun: options.dryRun ?? false });
}

function parseSize(text: string): number {
  const bytes = parseSizeBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError(`expected a size such as 50GiB, got ${text.slice(0, 40)}`);
  return bytes;
}
