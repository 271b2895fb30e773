import type { FactorialRow } from '@factorial/backing';
import { type Static, Type } from 'typebox';
import { decimalString } from './number.ts';

/** A row as the API shows it. */
export const metadataSchema = Type.Object(
  {
    number: decimalString('n.'),
    status: Type.Union(
      [
        Type.Literal('queued'),
        Type.Literal('calculating'),
        Type.Literal('uploading'),
        Type.Literal('done'),
        Type.Literal('failed'),
      ],
      { description: '`queued`: requested, and no worker has it yet.' },
    ),
    digits: decimalString('Exact number of digits of n!.'),
    trailingZeros: decimalString('Exact number of zeros at the end of n!.'),
    size: Type.Union([decimalString('Bytes stored.'), Type.Null()], { description: 'Bytes stored; null until done.' }),
    checksum: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()], {
      description: 'Hex SHA-256 of the digits; null until done.',
    }),
    attempt: Type.Integer({ minimum: 1, description: 'One more each time a failed n is requested again.' }),
    progress: Type.Union(
      [
        Type.Object({
          phase: Type.String({
            description:
              '`waiting`: other calculations have the memory or scratch it needs; it starts when it has its turn.',
          }),
          done: Type.Number({ minimum: 0 }),
          total: Type.Number({ minimum: 0 }),
          secondsLeft: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
            description: 'Seconds until it is done, by its pace so far; null while nothing is known.',
          }),
          reason: Type.Union([Type.String(), Type.Null()], {
            description: 'What it waits for; null when it does not.',
          }),
        }),
        Type.Null(),
      ],
      { description: 'Work units; null before the first report.' },
    ),
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()], {
      description: 'Why the last run failed; its code is stable.',
    }),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
    links: Type.Object({
      self: Type.String(),
      digits: Type.String(),
      estimate: Type.String(),
      events: Type.String(),
    }),
  },
  { title: 'Metadata' },
);
export type Metadata = Static<typeof metadataSchema>;

/** Status of a row in the API's words: `calculating` that nobody holds is `queued`. */
export function publicStatus(row: FactorialRow): Metadata['status'] {
  return row.status === 'calculating' && row.leaseOwner === null ? 'queued' : row.status;
}

/** Paths about n. */
export function linksOf(n: bigint): Metadata['links'] {
  return {
    self: `/factorial/metadata?number=${n}`,
    digits: `/factorial/digits?number=${n}`,
    estimate: `/factorial/estimate?number=${n}`,
    events: `/factorial/events?number=${n}`,
  };
}

function progressOf({ progress }: FactorialRow): Metadata['progress'] {
  if (progress === null) return null;
  const { phase, done, total, secondsLeft = null, reason = null } = progress;
  return { phase, done, total, secondsLeft, reason };
}

/** The row on the wire. */
export function metadataOf(row: FactorialRow): Metadata {
  return {
    number: String(row.n),
    status: publicStatus(row),
    digits: String(row.digits),
    trailingZeros: String(row.trailingZeros),
    size: row.size === null ? null : String(row.size),
    checksum: row.checksum,
    attempt: row.attempt,
    progress: progressOf(row),
    error: row.error === null ? null : { ...row.error },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    links: linksOf(row.n),
  };
}
