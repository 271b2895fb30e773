// Loaded before a worker by the tests of its death: stops one calculation at an exact point, so that the test can do to the process
// what it wants to. Nothing of the product knows of this file; it wraps the classes of the built packages from outside.
//
// PAUSE_NUMBER is the n, PAUSE_AT one of claimed, computing, uploading, uploaded, published. The point is told on stderr, and the
// calculation goes on at SIGTERM or SIGUSR2.
import { isMainThread } from 'node:worker_threads';
import { KyselyMetadataStore } from '../../backing/dist/metadata/kysely-metadata-store.js';
import { S3Sink } from '../../compute/dist/sink/s3.js';

const number = BigInt(process.env.PAUSE_NUMBER ?? '-1');
const phase = process.env.PAUSE_AT;
/** More than the first part of an upload. */
const bytesBeforePause = 8.2 * 2 ** 20;
let paused = false;

async function pauseOnce(at, n) {
  if (paused || at !== phase || n !== number) return;
  paused = true;
  process.stderr.write(`paused at ${at}\n`);
  const alive = setInterval(() => undefined, 1_000);
  await new Promise((goOn) => {
    process.once('SIGTERM', goOn);
    process.once('SIGUSR2', goOn);
  });
  clearInterval(alive);
}

if (isMainThread) {
  const { claim, renew, complete } = KyselyMetadataStore.prototype;
  KyselyMetadataStore.prototype.claim = async function (n, ...rest) {
    const outcome = await claim.call(this, n, ...rest);
    if (outcome.kind === 'claimed') await pauseOnce('claimed', n);
    return outcome;
  };
  KyselyMetadataStore.prototype.renew = async function (held, ...rest) {
    await renew.call(this, held, ...rest);
    await pauseOnce('computing', held.n);
  };
  KyselyMetadataStore.prototype.complete = async function (held, ...rest) {
    await pauseOnce('uploaded', held.n);
    const row = await complete.call(this, held, ...rest);
    await pauseOnce('published', held.n);
    return row;
  };
  const { write } = S3Sink.prototype;
  S3Sink.prototype.write = function (source) {
    return write.call(this, { ...source, digits: pausing(source.digits) });
  };
}

async function* pausing(digits) {
  let bytes = 0;
  for await (const chunk of digits) {
    bytes += chunk.length;
    yield chunk;
    if (bytes >= bytesBeforePause) {
      // Time for the first part to arrive.
      if (!paused && phase === 'uploading') await new Promise((next) => setTimeout(next, 300));
      await pauseOnce('uploading', number);
    }
  }
}
