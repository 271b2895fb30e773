import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './product.ts';

export interface GoldenFactorial {
  readonly digits: number;
  readonly trailingZeros: number;
  readonly sha256: string;
  readonly head: string;
  readonly tail: string;
}

const file = JSON.parse(readFileSync(join(root, 'compute', 'test', 'golden', 'factorials.json'), 'utf8')) as {
  readonly factorials: Readonly<Record<string, GoldenFactorial>>;
};

/** The published facts of n!; throws for an n that has none. */
export function golden(n: number): GoldenFactorial {
  const facts = file.factorials[String(n)];
  if (facts === undefined) throw new Error(`no golden facts of ${n}!`);
  return facts;
}
