/**
 * A note is a small JSON object that one task of a workflow execution leaves for the next, beside the digits it is about:
 * what was written (`stored`), that it was verified (`verified`), why a task failed (`error`).
 */
export const taskNoteKinds = ['stored', 'verified', 'error'] as const;
export type TaskNoteKind = (typeof taskNoteKinds)[number];

const digitsSuffix = '.txt';
const notePattern = new RegExp(`\\.(${taskNoteKinds.join('|')})\\.json$`);

/** Key of a note about the digits at `objectKey`. */
export function taskNoteKey(objectKey: string, kind: TaskNoteKind): string {
  const stem = objectKey.endsWith(digitsSuffix) ? objectKey.slice(0, -digitsSuffix.length) : objectKey;
  return `${stem}.${kind}.json`;
}

/** Key of the digits that an object belongs to: itself, or what the note is about. */
export function digitsKeyOf(key: string): string {
  return key.replace(notePattern, digitsSuffix);
}
