import { openMetadata } from '@factorial/backing';
import { runOnce } from './run-role.ts';

/** `npm run migrate`: bring the schema of `DATABASE_URL` up to date. Safe to run twice, and from several machines at once. */
await runOnce('migrate', async (settings) => {
  const metadata = await openMetadata(settings);
  try {
    const applied = await metadata.migrate();
    process.stdout.write(applied.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${applied.join(', ')}.\n`);
  } finally {
    await metadata.close();
  }
});
