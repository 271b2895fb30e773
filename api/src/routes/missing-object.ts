import { CorruptObjectError, type MetadataStore, ObjectNotFoundError } from '@factorial/backing';
import { notRequested } from '../problems/absence.ts';

/**
 * Runs something that reads the object of a finished row. When the object is gone, the row tells why: removed as well, so
 * the result was pruned meanwhile (`not-requested`); still there, so the result is damaged (`CorruptObjectError`).
 */
export async function whileObjectExists<T>(n: bigint, metadata: MetadataStore, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    const row = await metadata.find(n);
    if (row?.status !== 'done') throw notRequested(n);
    throw new CorruptObjectError(`expected the object ${row.objectKey} of ${n}!, got none`, { cause: error });
  }
}
