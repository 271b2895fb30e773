import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digitChunks } from './digit-chunks.ts';

test('what goes in comes out in order with its zeros, in chunks up to the bound that are copies', async () => {
  const inputs = fc.array(fc.string({ minLength: 0, maxLength: 30, unit: fc.constantFrom('1', '2', '9') }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(inputs, fc.nat(100), fc.integer({ min: 1, max: 40 }), async (texts, zeros, maxChunkBytes) => {
      const buffers = texts.map((text) => new TextEncoder().encode(text));
      async function* source(): AsyncGenerator<Uint8Array> {
        yield* buffers;
      }
      const options = { trailingZeros: BigInt(zeros), maxChunkBytes, lend: false };
      let out = '';
      for await (const { bytes: chunk } of digitChunks(source(), options)) {
        expect(chunk.length).toBeGreaterThan(0);
        expect(chunk.length).toBeLessThanOrEqual(maxChunkBytes);
        expect(chunk.byteLength).toBe(chunk.buffer.byteLength);
        out += Buffer.from(chunk).toString();
        chunk.fill(0);
      }
      expect(out).toBe(texts.join('') + '0'.repeat(zeros));
      expect(buffers.map((buffer) => Buffer.from(buffer).toString())).toEqual(texts);
    }),
  );
});

test('consumed chunks are collected while more flow, those of digits and those of zeros', async () => {
  const chunkBytes = 2 ** 20;
  const digits = new Uint8Array(chunkBytes).fill(49);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let chunk = 0; chunk < 128; chunk++) yield digits;
  }
  const options = { trailingZeros: BigInt(128 * chunkBytes), maxChunkBytes: chunkBytes, lend: false };
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for await (const { bytes: chunk } of digitChunks(source(), options)) {
    expect(chunk.length).toBe(chunkBytes);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(48 * chunkBytes);
});
