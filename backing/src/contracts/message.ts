import { type Static, Type } from 'typebox';

/** A positive decimal integer of at most 19 digits without leading zeros: n on the wire. */
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
