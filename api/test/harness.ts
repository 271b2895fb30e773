import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CalculationQueue,
  type Claim,
  createFilesystemObjectStore,
  createMemoryCalculationQueue,
  createMemoryDigitCache,
  createSqliteMetadataStore,
  type FactorialRow,
} from '@factorial/backing';
import { type Budget, digitCountOfFactorial, trailingZeroCount } from '@factorial/compute';
import type { FastifyInstance } from 'fastify';
import { type ApiDependencies, type ApiOptionsInput, createApi } from '../src/index.ts';

export const testBudget: Budget = { memoryBytes: 512 * 2 ** 20, scratchBytes: 0, threads: 1, engine: 'auto' };

/** The API over the embedded adapters in a directory of its own. */
export interface Harness {
  readonly app: FastifyInstance;
  readonly deps: ApiDependencies;
  readonly directory: string;
  /** Put digits in place as a worker would: claim, write, complete. */
  store(n: bigint, digits: Uint8Array): Promise<FactorialRow>;
  /** A requested row, unclaimed. */
  request(n: bigint): Promise<FactorialRow>;
  claim(n: bigint): Promise<Claim>;
  close(): Promise<void>;
}

/** Starts the API with the given options and, where a test needs it, another queue or directory. */
export async function startHarness(
  options: ApiOptionsInput = {},
  replaced: { readonly queue?: CalculationQueue; readonly logger?: ApiDependencies['logger'] } = {},
): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), 'factorial-api-'));
  const deps: ApiDependencies = {
    metadata: createSqliteMetadataStore({ directory }),
    cache: createMemoryDigitCache(),
    objects: createFilesystemObjectStore({ directory }),
    queue: replaced.queue ?? createMemoryCalculationQueue(),
    ...(replaced.logger === undefined ? {} : { logger: replaced.logger }),
  };
  await deps.metadata.migrate();
  const app = await createApi(deps, { budget: testBudget, rateLimitPerMinute: 0, ...options });
  return {
    app,
    deps,
    directory,
    store: (n, digits) => storeDigits(deps, n, digits),
    request: (n) => requestRow(deps, n),
    claim: (n) => claimRow(deps, n),
    close: async () => {
      await app.close();
      await deps.queue.close(100);
      await deps.cache.close();
      await deps.objects.close();
      await deps.metadata.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function requestRow({ metadata }: ApiDependencies, n: bigint): Promise<FactorialRow> {
  const facts = { digits: digitCountOfFactorial(n), trailingZeros: trailingZeroCount(n) };
  return (await metadata.request({ n, ...facts, client: 'test' })).row;
}

async function claimRow({ metadata }: ApiDependencies, n: bigint): Promise<Claim> {
  const outcome = await metadata.claim(n, 'test-worker', { leaseMs: 60_000, maxInterruptions: 3 });
  if (outcome.kind !== 'claimed') throw new Error(`expected to claim ${n}, got ${outcome.kind}`);
  return outcome.claim;
}

async function storeDigits(deps: ApiDependencies, n: bigint, digits: Uint8Array): Promise<FactorialRow> {
  await requestRow(deps, n);
  const claim = await claimRow(deps, n);
  await deps.metadata.markUploading(claim);
  const chunks = (async function* () {
    for (let at = 0; at < digits.length; at += 65_536) yield digits.slice(at, at + 65_536);
  })();
  await deps.objects.sink(claim.objectKey).write({ digits: chunks, digitCount: BigInt(digits.length) });
  return deps.metadata.complete(claim, { size: BigInt(digits.length), checksum: sha256(digits) });
}

/** Hex SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** n! by plain multiplication, as text. */
export function trueDigits(n: bigint): string {
  let product = 1n;
  for (let factor = 2n; factor <= n; factor++) product *= factor;
  return product.toString();
}

/** Not n!, but as many digits as n! has: for tests that need size and not truth. The same every time. */
export function standInDigits(n: bigint): Uint8Array {
  const block = new Uint8Array(99_991);
  let state = 12_345;
  for (let index = 0; index < block.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    block[index] = 48 + ((state >>> 16) % 10);
  }
  return Buffer.alloc(Number(digitCountOfFactorial(n)), block);
}
