import { type Static, Type } from 'typebox';
import { Errors } from 'typebox/value';
import { PoisonMessageError } from './errors.ts';

/** A decimal integer from 0, of at most 19 digits, without leading zeros: n on the wire. */
export const numberPattern = '^(0|[1-9][0-9]{0,18})$';

/** A request to calculate n!, version 1. Lost or doubled messages are harmless: the row decides. */
export const calculationRequestSchema = Type.Object(
  {
    version: Type.Literal(1),
    number: Type.String({ pattern: numberPattern }),
    attempt: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type CalculationRequest = Static<typeof calculationRequestSchema>;

/** Longest excerpt of a refused value in an error message. */
const maxExcerptLength = 60;

/** The body of a delivery as a request, copied and frozen. `PoisonMessageError` names every member that is wrong. */
export function parseCalculationRequest(body: unknown): CalculationRequest {
  const [...faults] = Errors(calculationRequestSchema, body);
  if (faults.length > 0) {
    const what = faults.map((fault) => `${fault.instancePath || 'the message'} ${fault.message}`).join('; ');
    throw new PoisonMessageError(`expected a calculation request (version 1), got ${excerpt(body)}: ${what}`);
  }
  const { version, number, attempt } = body as CalculationRequest;
  return Object.freeze({ version, number, attempt });
}

function excerpt(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (fault) {
    text = `a value that is not JSON (${(fault as Error).message})`;
  }
  text ??= typeof value;
  return text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}…` : text;
}
