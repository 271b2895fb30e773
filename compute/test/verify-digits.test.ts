import { expect, test } from 'vitest';
import { InputError, verifyDigits } from '../src/index.ts';
import { factorialResidues } from '../src/verify/factorial-residue.ts';
import { factorialResiduesByKernel } from '../src/verify/kernel-factorial-residue.ts';
import { verificationModuli } from '../src/verify/moduli.ts';
import { seededRandom } from './decimal/random.ts';
import { factorialNaive } from './factorial-naive.ts';

async function* inChunks(text: string, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < text.length; offset += chunkBytes) {
    yield Buffer.from(text.slice(offset, offset + chunkBytes), 'latin1');
  }
}

function failed(verdict: Awaited<ReturnType<typeof verifyDigits>>): string[] {
  return verdict.checks.filter(({ ok }) => !ok).map(({ what }) => what);
}

test('the right digits are verified, however they are cut', async () => {
  for (const n of [0, 1, 4, 5, 25, 1000, 5003]) {
    const text = factorialNaive(n).toString();
    for (const chunkBytes of [1, 7, 1000, 100_000]) {
      if (text.length / chunkBytes > 5000) continue;
      const verdict = await verifyDigits(n, inChunks(text, chunkBytes));
      expect(failed(verdict), `${n}! in chunks of ${chunkBytes}`).toEqual([]);
      expect(verdict).toMatchObject({ verified: true, bytes: BigInt(text.length) });
    }
  }
});

test('any single wrong digit is noticed, and so is any other byte', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const text = factorialNaive(3000).toString();
  for (let round = 0; round < 60; round++) {
    const at = Math.floor(random() * text.length);
    const wrong = round % 10 === 9 ? ':' : String((Number(text[at]) + 1 + Math.floor(random() * 9)) % 10);
    const verdict = await verifyDigits(3000, inChunks(text.slice(0, at) + wrong + text.slice(at + 1), 1024));
    expect(verdict.verified, `seed ${seed}: ${wrong} at ${at}`).toBe(false);
  }
});

test('lost, added and exchanged digits are noticed and named', async () => {
  const text = factorialNaive(3000).toString();
  const verdictOf = async (wrong: string, n = 3000) => failed(await verifyDigits(n, inChunks(wrong, 999)));
  expect(await verdictOf(text.slice(0, -1))).toContain('digits');
  expect(await verdictOf(text.slice(0, -1))).toContain('trailing zeros');
  expect(await verdictOf(`${text}\n`)).toContain('bytes other than digits');
  expect(await verdictOf(`0${text}`)).toContain('first digits');
  expect(await verdictOf('')).toContain('digits');
  // The same digits in another order: only the residues tell.
  const middle = text.length >> 1;
  const exchanged = `${text.slice(0, middle)}${text.slice(middle + 30, middle + 60)}${text.slice(middle, middle + 30)}${text.slice(middle + 60)}`;
  expect(await verdictOf(exchanged)).toEqual(verificationModuli.map((modulus) => `residue modulo ${modulus}`));
  expect(await verdictOf(text, 3001)).toContain('first digits');
});

test('a bad n is refused, and an abort ends it with its reason', async () => {
  await expect(verifyDigits(-1, inChunks('1', 1))).rejects.toBeInstanceOf(InputError);
  const reason = new Error('enough');
  const verdict = verifyDigits(10, inChunks('3628800', 1), { signal: AbortSignal.abort(reason) });
  await expect(verdict).rejects.toBe(reason);
});

test('residues of n! by kernels are those by big integers', async () => {
  for (const n of [0, 1, 2, 3, 5, 10, 99, 4096, 65_537, 2 ** 20 - 1, 2 ** 20, 1_234_567]) {
    expect(await factorialResiduesByKernel(n), `${n}`).toEqual(factorialResidues(n, verificationModuli));
  }
});
