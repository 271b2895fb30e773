import {
  CorruptObjectError,
  type FailureReason,
  type ObjectStore,
  type StoredDigits,
  type TaskNoteKind,
  taskNoteKey,
  taskNoteKinds,
} from '@factorial/backing';

/** A note is far smaller; a larger object under its key is none. */
const noteMaxBytes = 4_096n;

/** Leave a note beside the digits; one that is there already is replaced. */
async function writeNote(objects: ObjectStore, objectKey: string, kind: TaskNoteKind, note: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(note));
  const digits = (async function* () {
    yield bytes;
  })();
  await objects.sink(taskNoteKey(objectKey, kind)).write({ digits, digitCount: BigInt(bytes.byteLength) });
}

async function readNote(
  objects: ObjectStore,
  objectKey: string,
  kind: TaskNoteKind,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const key = taskNoteKey(objectKey, kind);
  const stored = await objects.stat(key);
  if (stored === undefined) return undefined;
  if (stored.size > noteMaxBytes) throw new CorruptObjectError(`expected a note at ${key}, got ${stored.size} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.read(key)) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new CorruptObjectError(`expected a note in JSON at ${key}`, { cause });
  }
}

/** Record what was written (`stored`), or that it was found intact (`verified`). */
export async function writeDigitsNote(
  objects: ObjectStore,
  objectKey: string,
  kind: 'stored' | 'verified',
  { size, checksum, eTag }: StoredDigits,
): Promise<void> {
  await writeNote(objects, objectKey, kind, { size: size.toString(), checksum, eTag });
}

/** What `writeDigitsNote` recorded; undefined when it did not. `CorruptObjectError` when it is no such note. */
export async function readDigitsNote(
  objects: ObjectStore,
  objectKey: string,
  kind: 'stored' | 'verified',
): Promise<StoredDigits | undefined> {
  const note = await readNote(objects, objectKey, kind);
  if (note === undefined) return undefined;
  const { size, checksum, eTag } = note;
  if (typeof size === 'string' && /^[0-9]{1,20}$/.test(size) && typeof checksum === 'string') {
    const digits = { size: BigInt(size), checksum };
    return typeof eTag === 'string' ? { ...digits, eTag } : digits;
  }
  throw new CorruptObjectError(`expected size and checksum in the note at ${taskNoteKey(objectKey, kind)}`);
}

/** Leave the reason of a failure where the clean-up finds it: a container can say no more than its exit code. */
export async function writeErrorNote(objects: ObjectStore, objectKey: string, reason: FailureReason): Promise<void> {
  await writeNote(objects, objectKey, 'error', reason);
}

export async function readErrorNote(objects: ObjectStore, objectKey: string): Promise<FailureReason | undefined> {
  const note = await readNote(objects, objectKey, 'error');
  if (typeof note?.code !== 'string' || typeof note.message !== 'string') return undefined;
  return { code: note.code, message: note.message };
}

export async function removeNotes(objects: ObjectStore, objectKey: string): Promise<void> {
  for (const kind of taskNoteKinds) await objects.remove(taskNoteKey(objectKey, kind));
}
