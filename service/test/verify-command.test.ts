import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeTinyFactorial, InputError } from '@factorial/compute';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UsageExit } from '../src/cli/command-line.ts';
import { parseVerifyArguments, runVerify } from '../src/cli/verify-command.ts';

let folder: string;
let path: string;
const { signal } = new AbortController();
let printed = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-command-'));
  path = join(folder, 'digits.txt');
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  await writeFile(path, computeTinyFactorial(3000));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('factorial verify', () => {
  it('says that a file is n! and exits with 0', async () => {
    expect(await runVerify({ path, n: 3000n, json: false }, signal)).toBe(0);
    expect(printed).toMatch(/is 3000!: 9,131 digits/);
  });

  it('says what is wrong with a truncated file and exits with 1', async () => {
    await truncate(path, 9000);
    expect(await runVerify({ path, n: 3000n, json: false }, signal)).toBe(1);
    expect(printed).toMatch(/is NOT 3000![\s\S]*digits: expected 9131, got 9000/);
  });

  it('notices a wrong digit and a wrong n, in JSON too', async () => {
    const digits = Buffer.from(computeTinyFactorial(3000));
    digits[4000] = digits[4000] === 49 ? 50 : 49;
    await writeFile(path, digits);
    expect(await runVerify({ path, n: 3000n, json: true }, signal)).toBe(1);
    expect(JSON.parse(printed)).toMatchObject({ n: '3000', verified: false, bytes: '9131' });
    expect(await runVerify({ path, n: 2999n, json: false }, signal)).toBe(1);
  });

  it('refuses a folder and a file that is not there', async () => {
    await expect(runVerify({ path: folder, n: 5n, json: false }, signal)).rejects.toBeInstanceOf(InputError);
    await expect(runVerify({ path: `${path}x`, n: 5n, json: false }, signal)).rejects.toBeInstanceOf(InputError);
  });

  it.each([[[]], [['f']], [['f', '--n', '-1']], [['f', '--n', '1e3']], [['f', 'g', '--n', '1']]])(
    'wrong usage %j exits with 2',
    (args) => {
      const write = { out: () => undefined, err: () => undefined };
      try {
        parseVerifyArguments(args, write);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(UsageExit);
        expect((error as UsageExit).exitCode).toBe(2);
      }
    },
  );
});
