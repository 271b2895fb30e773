import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileBlocks } from './file-blocks.ts';

let folder: string;
let path: string;
const never = new AbortController().signal;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-blocks-'));
  path = join(folder, 'bytes');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file in blocks', () => {
  it('has all of its bytes in their order, whatever the lengths of the file and of a block', async () => {
    const shapes = fc.record({ bytes: fc.uint8Array({ maxLength: 200 }), blockBytes: fc.integer({ min: 1, max: 70 }) });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ bytes, blockBytes }) => {
        await writeFile(path, bytes);
        const found: number[] = [];
        for await (const block of readFileBlocks(path, blockBytes, never)) {
          expect(block.length).toBeLessThanOrEqual(blockBytes);
          found.push(...block);
        }
        expect(found).toEqual([...bytes]);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves a block alone while the caller takes its time over it', async () => {
    await writeFile(path, 'aaaabbbbcccc');
    const seen: string[] = [];
    for await (const block of readFileBlocks(path, 4, never)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen.push(Buffer.from(block).toString());
    }
    expect(seen).toEqual(['aaaa', 'bbbb', 'cccc']);
  });

  it('ends with the reason of its signal between blocks, and closes the file, as it does when the caller has enough', async () => {
    await writeFile(path, Buffer.alloc(1000));
    const before = await openFiles();
    const stop = new AbortController();
    const reason = new Error('enough');
    const all = async () => {
      for await (const block of readFileBlocks(path, 10, stop.signal)) {
        expect(block.length).toBe(10);
        stop.abort(reason);
      }
    };
    await expect(all()).rejects.toBe(reason);
    for await (const block of readFileBlocks(path, 10, never)) {
      expect(block.length).toBe(10);
      break;
    }
    expect(await openFiles()).toBe(before);
  });

  it('throws what reading throws', async () => {
    await expect(readFileBlocks(folder, 10, never).next()).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(readFileBlocks(`${path}.none`, 10, never).next()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** A descriptor that is taken next tells how many are open, on every system. */
async function openFiles(): Promise<number> {
  await using file = await open(path, 'r');
  return file.fd;
}
