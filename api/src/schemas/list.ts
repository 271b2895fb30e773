import { type ListCursor, maxInt64 } from '@factorial/backing';
import { Type } from 'typebox';
import { ApiProblem, shorten } from '../problems/problem.ts';
import { metadataSchema } from './metadata.ts';
import { decimalString } from './number.ts';

/** Query of `/factorial/list`. */
export const listQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,3}$',
        description: 'Rows per page; the service bounds it.',
        examples: ['20'],
      }),
    ),
    cursor: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: '`next` of the page before; opaque.' }),
    ),
  },
  { additionalProperties: false },
);

/** A page of the list. */
export const listSchema = Type.Object(
  {
    items: Type.Array(metadataSchema),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page; null on the last one.' }),
    maxFactorial: Type.Union([decimalString('n.'), Type.Null()], { description: 'Largest n that is done.' }),
    curFactorial: Type.Union([decimalString('n.'), Type.Null()], { description: 'Largest n being calculated.' }),
  },
  { title: 'FactorialList' },
);

/** The opaque text of a list position. */
export function encodeCursor(cursor: ListCursor): string {
  return Buffer.from(`1:${cursor.createdAt.getTime()}:${cursor.n}`, 'latin1').toString('base64url');
}

/** The list position from its text. Throws `invalid-parameter` for text that `encodeCursor` did not make. */
export function decodeCursor(text: string): ListCursor {
  const match = /^1:([0-9]{1,16}):(0|[1-9][0-9]{0,18})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  const cursor = match === null ? undefined : { createdAt: new Date(Number(match[1])), n: BigInt(match[2]!) };
  const valid = cursor !== undefined && !Number.isNaN(cursor.createdAt.getTime()) && cursor.n <= maxInt64;
  if (!valid || encodeCursor(cursor) !== text) {
    throw new ApiProblem(
      'invalid-parameter',
      'expected "cursor" to be the "next" of an earlier page, got something else',
      {
        parameter: 'cursor',
        got: shorten(text),
      },
    );
  }
  return cursor;
}
