import { expect, test } from 'vitest';
import { factorialFacts } from '../../plan/plan-factorial.ts';
import { createMemory, instantiateKernels, sharedModule } from '../../wasm/bridge.ts';
import { textChunkLimbs } from './arena.ts';
import { planArena } from './price.ts';
import { TextRing } from './text-ring.ts';

function openRing(chunkCount: number): TextRing {
  const arena = planArena(factorialFacts(2_000_000n), 2)!;
  const instance = instantiateKernels(sharedModule(), createMemory(arena.totalBytes));
  return new TextRing(instance, arena, chunkCount * textChunkLimbs);
}

test('a thread that takes the place of a lost one gets the job that was under way, whichever half of it', () => {
  const ring = openRing(13);
  expect(ring.takeJob(0, true)).toBe(0);
  expect(ring.takeJob(1, true)).toBe(1);
  expect(ring.takeJob(0, true)).toBe(0);
  ring.markRead(0);
  expect(ring.takeJob(0, true)).toBe(0);
});

test('a job that was done is not done once more: its chunk may be shown, and its slot another chunk’s, by then', () => {
  const ring = openRing(13);
  for (let job = 0; job <= ring.slotCount; job++) {
    expect(ring.takeJob(0, false)).toBe(job);
    ring.markRead(job);
    ring.markWritten(job);
    expect(ring.takeJob(0, true)).toBe(++job);
    ring.markRead(job);
    ring.markWritten(job);
  }
});

test('the jobs that only read are not done once more either', () => {
  const ring = openRing(1);
  expect(ring.takeJob(0, false)).toBe(0);
  ring.markRead(0);
  ring.markWritten(0);
  for (let job = 1; job <= ring.slotCount; job++) {
    expect(ring.takeJob(0, false)).toBe(job);
    expect(ring.takeJob(0, true)).toBe(job);
    ring.markRead(job);
  }
  expect(ring.takeJob(0, true)).toBeUndefined();
  // Lost after its last job, before it could say so.
  expect(ring.takeJob(0, true)).toBeUndefined();
});
