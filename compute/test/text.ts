import { createHash } from 'node:crypto';
import type { FactorialResult } from '../src/result.ts';

/** Everything a result yields, and the sizes it came in. */
export async function collectDigits(result: FactorialResult): Promise<{ text: string; chunkBytes: number[] }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of result.digits()) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString('latin1'), chunkBytes: chunks.map((chunk) => chunk.length) };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
