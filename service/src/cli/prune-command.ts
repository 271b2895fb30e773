import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  DirectoryInUseError,
  type FactorialRow,
  readSettings,
  type Settings,
  SettingsError,
  wasDirectoryLocked,
} from '@factorial/backing';
import { parseSizeBytes } from '@factorial/backing/size-bytes';
import { pruneResults } from '@factorial/worker';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type Logger, pino } from 'pino';
import { type OpenServices, openServices } from '../start/open-services.ts';
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
belong to one process, so stop the service first and start it again afterwards: what it was asked for it goes on with. A result that is asked for again is calculated again.`;

/** `factorial prune`: remove stored results until the rest fits. One line a result on stdout, a summary at the end. Throws `UsageExit`. */
export async function runPrune(args: readonly string[], write: CommandOutput, signal: AbortSignal): Promise<void> {
  const { untilBytes, dryRun } = parsePrune(args, write);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings(process.env);
  const log = pino({ level: 'warn', base: null }, pino.destination(2));
  const services = await openResults(settings, log);
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

/** The services that hold the results. Says how where a running service holds them alone; makes no empty ones. */
async function openResults(settings: Settings, log: Logger): Promise<OpenServices> {
  const folder = resolve(settings.DATA_DIR);
  const usesFolder = settings.DATABASE_URL === undefined || settings.S3_BUCKET === undefined;
  if (usesFolder && !wasDirectoryLocked(folder)) {
    throw new SettingsError([
      `DATA_DIR: expected the folder of a service, got ${folder}, where none ever ran; ` +
        'run this where the service runs, or with its settings',
    ]);
  }
  try {
    return await openServices(settings, log);
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) throw error;
    throw new DirectoryInUseError(
      `expected to hold ${folder} alone, got a service that runs in it: stop it, run this again, and start it again; ` +
        'nothing was removed (with DATABASE_URL and S3_BUCKET it need not be stopped)',
      { cause: error },
    );
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
