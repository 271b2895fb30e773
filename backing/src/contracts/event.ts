import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { PoisonMessageError } from './errors.ts';
import { numberPattern } from './message.ts';

const common = {
  version: Type.Literal(1),
  number: Type.String({ pattern: numberPattern }),
  attempt: Type.Integer({ minimum: 1 }),
};

/** What became of a request, version 1, for other systems: `done` with what is stored, or `failed` with the row's error code. */
export const calculationEventSchema = Type.Union([
  Type.Object(
    {
      ...common,
      event: Type.Literal('done'),
      /** Digits, as a decimal string. */
      digits: Type.String({ pattern: '^[1-9][0-9]{0,18}$' }),
      /** Hex SHA-256 of the digits. */
      checksum: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    { ...common, event: Type.Literal('failed'), code: Type.String({ minLength: 1, maxLength: 100 }) },
    { additionalProperties: false },
  ),
]);
export type CalculationEvent = Static<typeof calculationEventSchema>;

/** The event itself, checked. `PoisonMessageError` when it is none. */
export function parseCalculationEvent(event: unknown): CalculationEvent {
  if (Value.Check(calculationEventSchema, event)) return event;
  throw new PoisonMessageError(
    `expected a calculation event (version 1, done or failed), got ${String(JSON.stringify(event)).slice(0, 200)}`,
  );
}
