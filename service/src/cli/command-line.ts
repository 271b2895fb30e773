import { parseSizeBytes } from '@factorial/backing/size-bytes';
import { type EngineName, engineNames, InputError, parseFactorialNumber } from '@factorial/compute';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** What one call of the command line asks for. */
export interface CliRequest {
  readonly n: bigint;
  /** Where the digits go; undefined = stdout. */
  readonly outPath: string | undefined;
  readonly threads: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly scratchDir: string | undefined;
  /** Folder to resume from and to leave what is finished in. */
  readonly checkpointDir: string | undefined;
  /** A file with the digits of m! that may be started from, and m. */
  readonly from: { readonly path: string; readonly n: bigint } | undefined;
  readonly engine: EngineName | 'auto';
  /** Estimate only; compute nothing. */
  readonly planOnly: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The command line was wrong, or asked for help: `exitCode` says which; the text has been written already. */
export class UsageExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('usage');
    this.name = 'UsageExit';
    this.exitCode = exitCode;
  }
}

export const usageExitCode = 2;

const examples = `
Examples:
  factorial 20                          all digits on the terminal
  factorial 1000 | sha256sum            digits alone, without a final newline, in a pipe
  factorial 10000000 --out digits.txt   written to a temporary name and renamed when complete and verified
  factorial 1000000 --json              one line of facts instead of the digits
  factorial 100000000 --plan            exact digit count, memory and time, without computing
  factorial 3000000 --memory 512MiB --threads 1 --out digits.txt
  factorial 300000000 --memory 1GiB --scratch /var/tmp --out digits.txt    what does not fit goes to scratch files
  factorial 10000000 --from 9000000.txt --from-n 9000000 --out digits.txt    10000000! from the digits of 9000000!
  factorial verify digits.txt --n 3000000                                 check a file of digits
  factorial prune --until 50GiB         remove stored results of the service, the least recently read first (prune --help)

A file given with --from that is not m! ends the run with what was expected and what it has; nothing is written, and the file stays as it is.
Sizes are written 512MiB, 2GiB or as a plain count of bytes. On a terminal, more than 10,000 digits are shown as a summary.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated.`;

/**
 * Parse the arguments after the program's name. Throws `UsageExit` (2 for wrong usage, 0 for --help and --version) after
 * writing to the given streams.
 */
export function parseCommandLine(
  args: readonly string[],
  version: string,
  write: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): CliRequest {
  const command = buildCommand(version, write);
  let n: bigint;
  try {
    // A negative number is a wrong n, not an unknown option: say so.
    const negative = args.find((argument) => /^-[0-9]/.test(argument));
    if (negative !== undefined) parseNumber(negative, command);
    command.parse([...args], { from: 'user' });
    n = parseNumber(command.args[0] ?? '', command);
    const { from, fromN } = command.opts<{ from?: string; fromN?: bigint }>();
    if ((from === undefined) !== (fromN === undefined)) {
      command.error('error: expected --from FILE and --from-n M together, got one without the other');
    }
  } catch (error) {
    if (error instanceof CommanderError) throw new UsageExit(error.exitCode === 0 ? 0 : usageExitCode);
    throw error;
  }
  const options = command.opts<{
    out?: string;
    threads?: number;
    memory?: number;
    scratch?: string;
    checkpoint?: string;
    from?: string;
    fromN?: bigint;
    engine: EngineName | 'auto';
    plan?: boolean;
    json?: boolean;
    quiet?: boolean;
  }>();
  return Object.freeze({
    n,
    outPath: options.out === '-' ? undefined : options.out,
    threads: options.threads,
    memoryBytes: options.memory,
    scratchDir: options.scratch ?? options.checkpoint,
    checkpointDir: options.checkpoint,
    from: options.from === undefined ? undefined : { path: options.from, n: options.fromN! },
    engine: options.engine,
    planOnly: options.plan ?? false,
    json: options.json ?? false,
    quiet: options.quiet ?? false,
  });
}

function buildCommand(version: string, write: { out: (text: string) => void; err: (text: string) => void }): Command {
  return new Command('factorial')
    .description('Compute every decimal digit of n! exactly, verified, in bounded memory.')
    .argument('<n>', 'a whole number, 0 or more')
    .option(
      '-o, --out <file>',
      'write the digits to a file (complete and verified, or not at all); - is stdout',
      parsePath,
    )
    .option(
      '-t, --threads <count>',
      'compute threads, 1 to 256 (default: as many as the machine runs at once)',
      parseThreads,
    )
    .option(
      '-m, --memory <size>',
      'memory for the calculation, such as 512MiB (default: half of what is there)',
      parseMemory,
    )
    .option('--scratch <dir>', 'folder for scratch files of calculations that do not fit into memory', parsePath)
    .option(
      '--checkpoint <dir>',
      'keep the scratch files here: after a crash, the same command goes on from the last finished step',
      parsePath,
    )
    .option(
      '--from <file>',
      'digits of an m! with m up to n: n! is computed from them where that is quicker (the plan says), after they were checked',
      parsePath,
    )
    .option('--from-n <m>', 'the m whose factorial the file of --from holds', parseSourceNumber)
    .addOption(new Option('-e, --engine <name>', 'engine to use').choices(['auto', ...engineNames]).default('auto'))
    .option('--plan', 'print digit count, memory and time, and compute nothing')
    .option('--json', 'print one line of JSON instead of the digits')
    .option('-q, --quiet', 'no progress bar and no summary')
    .version(version, '-V, --version')
    .helpOption('-h, --help')
    .addHelpText('after', examples)
    .showHelpAfterError('(factorial --help explains every option)')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write.out, writeErr: write.err })
    .exitOverride();
}

/** n, or a usage error that shows a bounded part of what was given. */
function parseNumber(text: string, command: Command): bigint {
  try {
    return parseFactorialNumber(text);
  } catch (error) {
    if (error instanceof InputError) command.error(`error: n: ${error.message}`);
    throw error;
  }
}

function parseSourceNumber(text: string): bigint {
  try {
    return parseFactorialNumber(text);
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function parseThreads(text: string): number {
  const count = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 256)
    throw new InvalidArgumentError(`expected an integer from 1 to 256, got ${text.slice(0, 40)}`);
  return count;
}

function parseMemory(text: string): number {
  const bytes = parseSizeBytes(text);
  if (bytes === undefined || bytes === 0) {
    throw new InvalidArgumentError(`expected a size such as 512MiB or 2GiB, got ${text.slice(0, 40)}`);
  }
  return bytes;
}

function parsePath(text: string): string {
  if (text === '' || text.includes('\0')) throw new InvalidArgumentError('expected a path, got an empty one');
  return text;
}
