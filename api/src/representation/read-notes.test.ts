import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ReadNotes } from './read-notes.ts';

const log = pino({ level: 'silent' }) as FastifyBaseLogger;

describe('notes of what was read', () => {
  it('are written once for each n, in as few calls as the store takes, and only so many', async () => {
    const calls: (readonly bigint[])[] = [];
    const notes = new ReadNotes({ touchReads: async (numbers) => void calls.push(numbers) }, log);
    for (let round = 0; round < 3; round += 1) for (let n = 0n; n < 2_500n; n += 1n) notes.note(n);
    await notes.flush();
    expect(calls.map(({ length }) => length)).toEqual([1_000, 1_000]);
    await notes.flush();
    expect(calls).toHaveLength(2);
    notes.note(7n);
    await notes.flush();
    expect(calls.at(-1)).toEqual([7n]);
  });

  it('cost nothing but themselves when they cannot be written', async () => {
    let calls = 0;
    const touchReads = async () => {
      calls += 1;
      if (calls === 1) throw new Error('gone');
    };
    const notes = new ReadNotes({ touchReads }, log);
    notes.note(1n);
    await notes.flush();
    notes.note(2n);
    await notes.flush();
    expect(calls).toBe(2);
  });
});
