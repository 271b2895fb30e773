import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteMetadataStore } from '../src/metadata/sqlite/sqlite-metadata-store.ts';
import { describeMetadataStoreContract } from './contracts/metadata-store.contract.ts';

describeMetadataStoreContract('the SQLite metadata store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'factorial-metadata-'));
  const store = createSqliteMetadataStore({ directory });
  await store.migrate();
  return {
    store,
    // A SQLite directory is held by one store alone.
    rival: store,
    heldAlone: true,
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
