import { type Static, Type } from 'typebox';

/** Body of POST /factorial. */
export const factorialRequestSchema = Type.Object(
  {
    number: Type.Union(
      [
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        Type.String({ pattern: '^(0|[1-9][0-9]*)$', description: 'Needed above 2^53-1.' }),
      ],
      { description: 'n. A JSON integer is judged by its text: 1.0, 1e3 and -0 are refused, not converted.' },
    ),
  },
  { additionalProperties: false, title: 'FactorialRequest', examples: [{ number: 20000 }] },
);
export type FactorialRequest = Static<typeof factorialRequestSchema>;
