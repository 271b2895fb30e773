/** A worker that writes an object for ever: `killed-upload.ts ENDPOINT BUCKET KEY`. Says when its first part is stored. */
import { createS3ObjectStore } from '@factorial/backing';

const [endpoint = '', bucket = '', key = ''] = process.argv.slice(2);
const store = createS3ObjectStore({ endpoint, bucket, region: 'us-east-1', forcePathStyle: true });

async function* digits() {
  for (let chunks = 0; ; chunks++) {
    // Three parts of 8 MiB, so that the first is stored, then no more.
    if (chunks === 3) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      console.log('part sent');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    yield Buffer.alloc(2 ** 23, '7');
  }
}

await store.sink(key).write({ digits: digits(), digitCount: 2n ** 30n });
