import { assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrc64Nvme, crc64NvmeFactor } from './crc64nvme.ts';

/** Bit by bit, as the catalogue of CRC algorithms defines it. */
function crc64NvmeNaive(bytes: Uint8Array): bigint {
  const ones = 2n ** 64n - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  }
  return crc ^ ones;
}

const combined = (first: Uint8Array, second: Uint8Array) =>
  combineCrc64Nvme(crc64NvmeNaive(first), crc64NvmeNaive(second), crc64NvmeFactor(second.length));

test('the check value of the catalogue comes out wherever its text is cut', () => {
  const text = new TextEncoder().encode('123456789');
  for (let cut = 0; cut <= text.length; cut++) {
    expect(combined(text.subarray(0, cut), text.subarray(cut))).toBe(0xae8b14860a799888n);
  }
});

test('the sum of any two texts is that of both, one after the other', () => {
  const texts = uint8Array({ maxLength: 200 });
  const joined = (first: Uint8Array, second: Uint8Array) => Uint8Array.of(...first, ...second);
  assert(property(texts, texts, (a, b) => combined(a, b) === crc64NvmeNaive(joined(a, b))));
});

test('the factor of many bytes is the product of those of fewer, up to the largest part of S3', () => {
  assert(
    property(integer({ min: 0, max: 5 * 2 ** 30 }), integer({ min: 0, max: 5 * 2 ** 30 }), (a, b) => {
      const step = combineCrc64Nvme(crc64NvmeFactor(a), 0n, crc64NvmeFactor(b));
      return step === crc64NvmeFactor(a + b);
    }),
  );
});
