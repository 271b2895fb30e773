import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { factorial, finished, root, start, temporaryFolder, userEnvironment } from './product.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await folder.remove();
});

/** What `npx factorial …` runs, without npm's own start. */
const command = (args: readonly string[]) => start(join(root, 'bin', 'factorial.mjs'), args);

describe('npx factorial', () => {
  it.each([0, 1, 5, 25, 1000, 20_000])('writes the digits of %d! to stdout and nothing else', async (n) => {
    const { code, stdout } = await finished(factorial([String(n)]));
    expect(code).toBe(0);
    expect(stdout.length).toBe(golden(n).digits);
    expect(sha256(stdout)).toBe(golden(n).sha256);
  });

  it('writes a file and one line of facts', async () => {
    const file = join(folder.path, 'million');
    const { code, stdout } = await finished(factorial(['1000000', '--out', file, '--json']));
    expect(code).toBe(0);
    expect(stdout.toString().trimEnd().split('\n')).toHaveLength(1);
    const facts = JSON.parse(stdout.toString()) as Record<string, unknown>;
    expect(facts).toMatchObject({
      n: '1000000',
      digits: String(golden(1_000_000).digits),
      trailingZeros: String(golden(1_000_000).trailingZeros),
      sha256: golden(1_000_000).sha256,
      verified: true,
    });
    expect(Object.keys(facts).sort()).toEqual(
      ['digits', 'engine', 'n', 'peakRssBytes', 'seconds', 'sha256', 'threads', 'trailingZeros', 'verified'].sort(),
    );
    expect(facts.seconds).toBeGreaterThan(0);
    expect(facts.peakRssBytes).toBeGreaterThan(10_000_000);
    expect(sha256(await readFile(file))).toBe(golden(1_000_000).sha256);
  });

  it('ends quietly when the pipe is closed', async () => {
    const child = start('bash', ['-c', 'set -o pipefail; npx factorial 300000 | head -c 100'], {
      cwd: root,
      env: userEnvironment(),
    });
    const { code, stdout, stderr } = await finished(child);
    expect(stdout.length).toBe(100);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('shows a summary instead of a flood on a terminal', async () => {
    const child = start('script', ['-qec', 'npx factorial 20000', '/dev/null']);
    const { stdout } = await finished(child);
    const text = stdout.toString();
    expect(text).toContain(golden(20_000).head);
    expect(text).toContain('77,338 digits');
    expect(text).toContain(golden(20_000).sha256);
    expect(text).toContain('--out');
    expect(text.length).toBeLessThan(4000);
  });

  it('shows all digits on a terminal when they are few', async () => {
    const child = start('script', ['-qec', 'npx factorial 25', '/dev/null']);
    const { stdout } = await finished(child);
    expect(stdout.toString()).toContain('15511210043330985984000000\r\n');
  });

  it('estimates without computing', async () => {
    const { code, stdout } = await finished(factorial(['1000000', '--plan', '--json']));
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      n: '1000000',
      digitCount: '5565709',
      trailingZeros: '249998',
    });
    const text = await finished(factorial(['1000000', '--plan']));
    expect(text.stdout.toString()).toContain('5,565,709');
  });

  it('refuses what does not fit and says what would', async () => {
    const { code, stderr } = await finished(factorial(['99999999999999', '--memory', '512MiB']));
    expect(code).toBe(1);
    expect(stderr).toMatch(/factorial: /);
    expect(stderr).toMatch(/\d/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('leaves an existing file alone until the new one is complete', async () => {
    const target = join(folder.path, 'kept');
    await mkdir(target, { recursive: true });
    const file = join(target, 'digits');
    await writeFile(file, 'before');
    // Without npx, which would end by the signal itself and hide the exit code.
    const child = command(['3000000', '--engine', 'gmp', '--out', file]);
    const ended = finished(child);
    await new Promise((next) => setTimeout(next, 1500));
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect((await ended).code).toBe(130);
    expect(await readFile(file, 'utf8')).toBe('before');
    expect(await readdir(target)).toEqual(['digits']);
  });

  it.each([
    [[], /missing required argument 'n'/],
    [['-5'], /n: expected .*, got .*-5/],
    [['1.5'], /expected .*, got .*1\.5/],
    [['1e6'], /expected .*, got .*1e6/],
    [['0x10'], /expected .*, got .*0x10/],
    [['12_000'], /expected .*, got/],
    [['ten'], /expected .*, got .*ten/],
    [[''], /expected .*, got/],
    [[' 7'], /expected .*, got/],
    [['007'], /expected .*, got .*007/],
    [['9'.repeat(100_000)], /expected .*, got .{1,300}$/m],
    [['5', '6'], /too many arguments/],
    [['5', '--threads', '0'], /expected an integer from 1 to 256, got 0/],
    [['5', '--threads', '1.5'], /expected an integer from 1 to 256, got 1\.5/],
    [['5', '--threads', '257'], /expected an integer from 1 to 256, got 257/],
    [['5', '--memory', 'lots'], /expected a size such as 512MiB or 2GiB, got lots/],
    [['5', '--memory', '0'], /expected a size/],
    [['5', '--engine', 'abacus'], /Allowed choices are/],
    [['5', '--out', ''], /expected a path/],
    [['5', '--bogus'], /unknown option '--bogus'/],
  ])('refuses wrong usage with exit code 2 (case %#)', async (args, message) => {
    const { code, stdout, stderr } = await finished(command(args));
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    expect(stderr.length).toBeLessThan(2000);
    expect(stdout.length).toBe(0);
    expect(code).toBe(2);
  });

  it('teaches with --help and knows its version', async () => {
    const help = await finished(factorial(['--help']));
    expect(help.code).toBe(0);
    for (const option of ['--out', '--threads', '--memory', '--scratch', '--engine', '--plan', '--json', '--quiet']) {
      expect(help.stdout.toString()).toContain(option);
    }
    expect(help.stdout.toString()).toContain('Examples:');
    const version = await finished(command(['--version']));
    expect(version.stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    ['a folder that is missing', 'missing/digits'],
    ['a folder instead of a file', '.'],
  ])('refuses %s as a place for the digits', async (_, name) => {
    const { code, stderr } = await finished(command(['1000', '--out', join(folder.path, name)]));
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(/^factorial: .+/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
