/**
 * Worker of the crash test: over and over requests, claims, writes and completes random n in one directory until it is killed.
 * Prints one line per fact it was told by the stores; what is printed must survive.
 */
import { writeSync } from 'node:fs';
import { createFilesystemObjectStore, createSqliteMetadataStore } from '@factorial/backing';

const [directory, seedText] = process.argv.slice(2);
let state = Number(seedText) | 1;

/** Park and Miller's generator: the run depends on its seed and on when it is killed. */
function random(bound) {
  state = (state * 48_271) % 2_147_483_647;
  return state % bound;
}

function report(...words) {
  writeSync(1, `${words.join(' ')}\n`);
}

async function* digitsOf(n, digitCount) {
  for (let left = digitCount; left > 0; left -= 1_000) yield Buffer.alloc(Math.min(left, 1_000), String(n % 10));
}

const store = createSqliteMetadataStore({ directory });
await store.migrate();
const objects = createFilesystemObjectStore({ directory });
await store.releaseAllLeases();
report('ready');

async function calculate(n, digitCount) {
  const outcome = await store.claim(BigInt(n), `w${process.pid}`, { leaseMs: 60_000, maxInterruptions: 1_000 });
  if (outcome.kind !== 'claimed') return;
  const { claim } = outcome;
  report('claimed', n, claim.fence);
  if (random(8) === 0) {
    const reason = { code: 'kernel-failed', message: 'injected' };
    await store.fail(claim, reason, { retryable: random(2) === 0, maxFailures: 5 });
    return;
  }
  await store.markUploading(claim);
  const sink = objects.sink(claim.objectKey);
  await sink.write({ digits: digitsOf(n, digitCount), digitCount: BigInt(digitCount) });
  const { size, sha256 } = await objects.checksum(claim.objectKey);
  await store.renew(claim, 60_000, { phase: 'verify', done: 1, total: 1 });
  await store.complete(claim, { size, checksum: sha256 });
  report('done', n, sha256);
}

const lanes = Array.from({ length: 4 }, async () => {
  for (;;) {
    const n = random(5_000);
    const digitCount = 1 + ((n * 7_919) % 50_000);
    await store.request({ n: BigInt(n), digits: BigInt(digitCount), trailingZeros: 0n, client: 'hammer' });
    report('requested', n);
    await calculate(n, digitCount);
  }
});
await Promise.all(lanes);
