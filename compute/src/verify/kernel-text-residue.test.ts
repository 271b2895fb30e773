import { expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { KernelTextResidue } from './kernel-text-residue.ts';
import { verificationModuli } from './moduli.ts';
import { TextResidue } from './text-residue.ts';

function randomText(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => 48 + Math.floor(random() * 10));
}

function residuesOf(chunks: readonly Uint8Array[]): readonly bigint[] | undefined {
  const residue = new KernelTextResidue();
  for (const chunk of chunks) residue.update(chunk);
  return residue.residues();
}

test('agrees with the naive sibling however the text is cut into chunks', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 40; round++) {
    const text = randomText(random, Math.floor(random() * (round < 20 ? 40 : 30_000)));
    const naive = new TextResidue(verificationModuli);
    naive.update(text);
    const chunks: Uint8Array[] = [];
    for (let offset = 0; offset < text.length; ) {
      const end = offset + 1 + Math.floor(random() * (random() < 0.5 ? 12 : 20_000));
      chunks.push(text.subarray(offset, end));
      offset = end;
    }
    expect(residuesOf(chunks), `seed ${seed}, round ${round}`).toEqual(naive.residues());
  }
});

test('every single flipped bit of a text is noticed', () => {
  const text = randomText(seededRandom(3), 40);
  const right = residuesOf([text]);
  expect(right).toBeDefined();
  for (let bit = 0; bit < 8 * text.length; bit++) {
    const wrong = text.slice();
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    expect(residuesOf([wrong]), `bit ${bit}`).not.toEqual(right);
  }
});
