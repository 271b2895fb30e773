import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const n = '3000000';
const m = '2900000';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function factorial(...args: string[]): Promise<Ended> {
  return new Promise((settle) => {
    execFile(process.execPath, [main, ...args], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      settle({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

let folder: string;
let stored: string;
const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'from-command-'));
  stored = join(folder, `${m}.txt`);
  await factorial(m, '--out', stored, '--quiet');
});
afterAll(() => rm(folder, { recursive: true }));

describe('factorial --from', () => {
  it('gives the digits that are computed afresh, and says where it started', async () => {
    const [from, afresh] = [join(folder, 'from'), join(folder, 'afresh')];
    const ended = await factorial(n, '--from', stored, '--from-n', m, '--out', from);
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^from 2900000! \(/) });
    await factorial(n, '--out', afresh);
    expect(await sha256(from)).toBe(await sha256(afresh));
  });

  it('shows the decision with --plan, and without using what is slower', async () => {
    const used = await factorial(n, '--from', stored, '--from-n', m, '--plan');
    expect(used.stdout).toMatch(/start +from 2900000! \(from 2900000! about [\d.]+ s, afresh [\d.]+ s\)/);
    const ten = join(folder, 'ten');
    await writeFile(ten, '3628800');
    const afresh = await factorial(n, '--from', ten, '--from-n', '10', '--plan', '--json');
    expect(JSON.parse(afresh.stdout)).toMatchObject({ from: { n: '10', used: false } });
  });

  it('refuses a file that is damaged, writes nothing, and leaves the file as it is', async () => {
    const path = join(folder, 'damaged');
    const digits = await readFile(stored);
    digits[digits.length >> 1] = digits[digits.length >> 1] === 49 ? 50 : 49;
    await writeFile(path, digits);
    const before = await readdir(folder);
    const out = join(folder, 'never');
    const ended = await factorial(n, '--from', path, '--from-n', m, '--out', out);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/not those of 2900000!: expected residues/) });
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(path)).toEqual(digits);
  });

  it('refuses a file of another length, none at all, and an m above n, before anything runs', async () => {
    const shorter = join(folder, 'shorter');
    await writeFile(shorter, '12345');
    const short = await factorial(n, '--from', shorter, '--from-n', m, '--out', join(folder, 'never'));
    expect(short).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/17,\d+,\d+ digits of 2900000!.*got .*5 bytes/),
    });
    const missing = await factorial(n, '--from', join(folder, 'missing'), '--from-n', m);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('ENOENT') });
    const above = await factorial('100', '--from', stored, '--from-n', m);
    expect(above).toMatchObject({ code: 2, stderr: expect.stringContaining('--from-n up to 100') });
  });

  it('needs both options', async () => {
    expect(await factorial(n, '--from', stored)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--from-n'),
    });
    expect((await factorial(n, '--from-n', '5')).code).toBe(2);
    expect((await factorial(n, '--from', stored, '--from-n', '1e3')).code).toBe(2);
  });
});
