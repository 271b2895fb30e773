import { Type } from 'typebox';
import { type ProblemCode, problemCatalogue } from '../problems/catalogue.ts';
import { decimalString } from './number.ts';

/** Body of every error (RFC 9457), as documented. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Stable: /problems/ and the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was expected, what was got, what to do.' }),
    parameter: Type.Optional(Type.String({ description: 'The member of the request at fault.' })),
    got: Type.Optional(Type.String()),
    allowed: Type.Optional(Type.String()),
    number: Type.Optional(decimalString('n.')),
    largestPossible: Type.Optional(decimalString('Largest n possible here and now.')),
    needs: Type.Optional(
      Type.Object(
        {
          engine: Type.String(),
          threads: Type.Integer(),
          storage: Type.String(),
          memoryBytes: Type.Number(),
          scratchBytes: Type.Number(),
          ioBytes: Type.Number(),
          estimatedSeconds: Type.Number(),
        },
        { description: 'What the calculation would take; left out where no engine can run it.' },
      ),
    ),
    reason: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
    links: Type.Optional(Type.Record(Type.String(), Type.String())),
    requestId: Type.Optional(Type.String()),
  },
  { title: 'Problem' },
);

/** Digits inside of JSON, for results with at most `jsonMaxDigits` digits. */
export const digitsJsonSchema = Type.Object(
  {
    number: decimalString('n.'),
    digits: decimalString('Exact number of digits.'),
    trailingZeros: decimalString('Exact number of zeros at the end.'),
    value: decimalString('n!'),
  },
  { title: 'FactorialValue' },
);

/** Digits as they are. */
export const digitsTextSchema = Type.String({
  description: 'The decimal digits of n!, most significant first, nothing else.',
});

/** One body of one answer, by media type. */
export function content(description: string, bodies: Record<string, object>) {
  return {
    description,
    content: Object.fromEntries(Object.entries(bodies).map(([type, schema]) => [type, { schema }])),
  };
}

/** An answer without a body. */
export function noContent(description: string) {
  return { description, type: 'null' };
}

/** The documented problem answers of a route, grouped by status. Every route may also answer 429, 500 and 503. */
export function problemResponses(...codes: readonly ProblemCode[]): Record<number, ReturnType<typeof content>> {
  const descriptions = new Map<number, string[]>();
  for (const code of [...codes, 'rate-limited', 'internal-error', 'unavailable'] as const) {
    const [status, , meaning] = problemCatalogue[code];
    const lines = descriptions.get(status) ?? [];
    descriptions.set(status, [...lines, `\`${code}\`: ${meaning}`]);
  }
  return Object.fromEntries(
    [...descriptions].map(([status, lines]) => [
      status,
      content([...new Set(lines)].join('\n\n'), { 'application/problem+json': problemSchema }),
    ]),
  );
}

/** What can keep a route from answering with the digits of a stored result. */
export const storedResultProblems = [
  'invalid-number',
  'missing-parameter',
  'unknown-parameter',
  'not-requested',
  'in-progress',
  'calculation-failed',
  'not-acceptable',
  'precondition-failed',
  'range-not-satisfiable',
  'result-damaged',
] as const;
