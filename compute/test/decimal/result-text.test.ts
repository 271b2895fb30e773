import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { textChunkLimbs } from '../../src/engine/decimal/arena.ts';
import { planArena } from '../../src/engine/decimal/price.ts';
import { ResultText } from '../../src/engine/decimal/result-text.ts';
import type { TextTask } from '../../src/engine/decimal/text-task.ts';
import { KernelError } from '../../src/errors.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { verificationModuli } from '../../src/verify/moduli.ts';
import { TextResidue } from '../../src/verify/text-residue.ts';
import { sharedModule } from '../../src/wasm/bridge.ts';
import { seededRandom } from './random.ts';

/** Its memory has room for a text of thirteen chunks, in a ring of six for two threads. */
const n = 2_000_000;
const dying = new URL('../fixtures/dying-text-task.mjs', import.meta.url);

interface Texts {
  readonly pool: TaskPool;
  /** Random limbs in the place of the result, and what they are as text. */
  open(limbCount: number, pool?: TaskPool): { readonly text: ResultText; readonly expected: string };
}

let random: () => number;
let seed: number;
beforeAll(() => {
  seed = Date.now() % 2 ** 31;
  random = seededRandom(seed);
});

async function withTexts(threads: number, use: (texts: Texts) => Promise<void>): Promise<void> {
  await using pool = await startTaskPool({ threads, signal: new AbortController().signal });
  const arena = planArena(factorialFacts(BigInt(n)), threads)!;
  const instance = pool.kernels(arena.totalBytes);
  instance.kernels.fillResidueTable(arena.residueTablePtr);
  const share = { arena, module: sharedModule(), memory: instance.memory };
  const open = (limbCount: number, through = pool) => {
    const limbs = Array.from({ length: limbCount }, () => Math.floor(random() * 1e9));
    limbs[limbCount - 1] = Math.max(1, Math.floor(10 ** (9 * random())));
    instance.words.set(limbs, arena.resultPtr >> 2);
    const [top, ...rest] = limbs.toReversed();
    const expected = `${top}${rest.map((limb) => String(limb).padStart(9, '0')).join('')}`;
    const text = new ResultText(through, share, instance, { ptr: arena.resultPtr, limbCount });
    if (random() < 0.5) text.start();
    return { text, expected };
  };
  await use({ pool, open });
}

async function read(text: ResultText): Promise<string> {
  const parts: string[] = [];
  for await (const chunk of text.chunks()) parts.push(Buffer.from(chunk).toString('latin1'));
  return parts.join('');
}

function residuesOf(text: string): readonly bigint[] {
  const bytes = Buffer.from(text, 'latin1');
  const residue = new TextResidue(verificationModuli);
  residue.update(bytes);
  return residue.residues();
}

/** The pool, whose text tasks die as the fixture says. */
function dyingPool(pool: TaskPool, method: string, fatalCall: number, deaths: number) {
  const counters = new SharedArrayBuffer(8);
  const lossy: TaskPool = {
    concurrency: pool.concurrency,
    isWarm: pool.isWarm,
    kernels: (bytes) => pool.kernels(bytes),
    run: (_, task) => pool.run(dying, { task: task as TextTask, method, fatalCall, counters, deaths }),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
  return { lossy, died: () => Math.min(deaths, new Int32Array(counters)[1]!) };
}

describe('the text of a result', () => {
  test.each([1, 2, 3])(
    'on %d threads is its digits, and its residues are theirs, in a memory used before',
    async (threads) => {
      await withTexts(threads, async ({ open }) => {
        const random13 = Math.floor(random() * 13 * textChunkLimbs);
        for (const limbCount of [1, 7, textChunkLimbs, textChunkLimbs + 1, 1 + random13, 13 * textChunkLimbs]) {
          const { text, expected } = open(limbCount);
          expect((await read(text)) === expected, `seed ${seed}, ${limbCount} limbs`).toBe(true);
          expect(await text.residues(), `seed ${seed}, ${limbCount} limbs`).toEqual(residuesOf(expected));
        }
      });
    },
  );

  test('keeps a chunk as it is until the second one after it is asked for, however long that takes', async () => {
    await withTexts(2, async ({ open }) => {
      const { text, expected } = open(12 * textChunkLimbs);
      const held: { readonly chunk: Uint8Array; readonly offset: number }[] = [];
      let offset = 0;
      for await (const chunk of text.chunks()) {
        held.push({ chunk, offset });
        offset += chunk.length;
        await sleep(10 * random());
        for (const { chunk: kept, offset: at } of held.slice(-2)) {
          const same = Buffer.from(kept).toString('latin1') === expected.slice(at, at + kept.length);
          expect(same, `seed ${seed}, chunk at ${at}`).toBe(true);
        }
      }
      expect(offset).toBe(expected.length);
    });
  });

  test('that a byte changed in anywhere while it was held has other residues, and none when that is no digit', async () => {
    await withTexts(2, async ({ open }) => {
      for (let round = 0; round < 8; round++) {
        const { text, expected } = open(1 + Math.floor(random() * 9 * textChunkLimbs));
        const position = Math.floor(random() * expected.length);
        const isDigit = round % 2 === 0;
        let offset = 0;
        for await (const chunk of text.chunks()) {
          const at = position - offset;
          if (at >= 0 && at < chunk.length) chunk[at] = isDigit ? 48 + ((chunk[at]! - 47) % 10) : 58 + round;
          offset += chunk.length;
        }
        const residues = await text.residues();
        const where = `seed ${seed}, round ${round}, byte ${position} of ${expected.length}`;
        if (!isDigit) expect(residues, where).toBeUndefined();
        for (const [index, residue] of residuesOf(expected).entries())
          expect(residues?.[index], where).not.toBe(residue);
      }
    });
  });

  test('that is left in the middle leaves no thread at it', async () => {
    await withTexts(2, async ({ open }) => {
      for (const taken of [1, 3, 8]) {
        let count = 0;
        for await (const _ of open(10 * textChunkLimbs).text.chunks()) if (++count === taken) break;
        const { text, expected } = open(8 * textChunkLimbs);
        expect((await read(text)) === expected, `seed ${seed}, after ${taken} chunks`).toBe(true);
      }
    });
  });

  test.each(['takeJob', 'awaitShown', 'markRead', 'awaitReleased', 'markWritten', 'chunk'])(
    'is the same when a thread dies before %s, anywhere',
    async (method) => {
      await withTexts(2, async ({ pool, open }) => {
        const fatalCall = Math.floor(random() * 6);
        const { lossy, died } = dyingPool(pool, method, fatalCall, 1);
        const { text, expected } = open(12 * textChunkLimbs, lossy);
        expect((await read(text)) === expected, `seed ${seed}, call ${fatalCall}`).toBe(true);
        expect(await text.residues(), `seed ${seed}, call ${fatalCall}`).toEqual(residuesOf(expected));
        expect(died()).toBe(1);
      });
    },
  );

  test('is given up with a KernelError when threads die again and again', async () => {
    await withTexts(2, async ({ pool, open }) => {
      const { lossy, died } = dyingPool(pool, 'markWritten', 3, 99);
      await expect(read(open(12 * textChunkLimbs, lossy).text)).rejects.toBeInstanceOf(KernelError);
      expect(died()).toBeGreaterThan(1);
    });
  });
});
