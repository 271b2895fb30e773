import { stat } from 'node:fs/promises';
import { type DigitsVerdict, InputError, parseFactorialNumber, verifyDigits } from '@factorial/compute';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { UsageExit, usageExitCode } from './command-line.ts';
import { groupThousands } from './digit-summary.ts';
import { readFileBlocks } from './file-blocks.ts';

/** Bytes read at a time: 512 KiB to 4 MiB measured alike, 256 KiB took a fifth longer. */
const blockBytes = 2 ** 20;
/** The exit code of a file that is not n!. */
export const wrongDigitsExitCode = 1;

/** What one call of `factorial verify` asks for. */
export interface VerifyRequest {
  readonly path: string;
  readonly n: bigint;
  readonly json: boolean;
}

/** Parses the arguments after `verify`. Throws `UsageExit` after writing why. */
export function parseVerifyArguments(
  args: readonly string[],
  write: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): VerifyRequest {
  const command = new Command('factorial verify')
    .description('Check that a file holds n!, every digit of it and nothing else.')
    .argument('<file>', 'the digits')
    .requiredOption('--n <number>', 'the n whose factorial it should be', parseN)
    .option('--json', 'print one line of JSON')
    .addHelpText('after', '\nExit codes: 0 it is n!, 1 it is not or cannot be read, 2 wrong usage, 130 interrupted.')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write.out, writeErr: write.err })
    .exitOverride();
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new UsageExit(error.exitCode === 0 ? 0 : usageExitCode);
    throw error;
  }
  const options = command.opts<{ n: bigint; json?: boolean }>();
  return Object.freeze({ path: command.args[0]!, n: options.n, json: options.json ?? false });
}

/** Reads the file once and prints the verdict to stdout; the process's exit code. */
export async function runVerify(request: VerifyRequest, signal: AbortSignal): Promise<number> {
  const startedMs = performance.now();
  const file = await stat(request.path).catch((cause: Error) => {
    throw new InputError('a file that can be read', `${request.path} (${cause.message})`, { cause });
  });
  if (!file.isFile()) throw new InputError('the path of a file', request.path);
  const text = readFileBlocks(request.path, blockBytes, signal);
  const verdict = await verifyDigits(request.n, text, { signal });
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(request.json ? verdictJson(request, verdict, seconds) : verdictText(request, verdict));
  return verdict.verified ? 0 : wrongDigitsExitCode;
}

function verdictJson({ n, path }: VerifyRequest, verdict: DigitsVerdict, seconds: number): string {
  const { verified, bytes, sha256, checks } = verdict;
  const line = {
    n: `${n}`,
    file: path,
    verified,
    bytes: `${bytes}`,
    sha256,
    seconds: Number(seconds.toFixed(3)),
    checks,
  };
  return `${JSON.stringify(line)}\n`;
}

function verdictText({ n, path }: VerifyRequest, verdict: DigitsVerdict): string {
  const lines = verdict.verified
    ? [`${path} is ${n}!: ${groupThousands(verdict.bytes)} digits, trailing zeros and both residues are right`]
    : [
        `${path} is NOT ${n}!`,
        ...verdict.checks
          .filter(({ ok }) => !ok)
          .map((one) => `  ${one.what}: expected ${one.expected}, got ${one.got}`),
      ];
  return `${[...lines, `SHA-256 ${verdict.sha256}`].join('\n')}\n`;
}

function parseN(text: string): bigint {
  try {
    return parseFactorialNumber(text);
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
