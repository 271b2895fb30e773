import { type Static, Type } from 'typebox';
import { decimalString } from './number.ts';

const orNull = <T extends Type.TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], {
    description: `${description}; where it does not fit, what it would take; null where no engine can run it.`,
  });

/** What n! is and would cost, before anything runs. */
export const estimateSchema = Type.Object(
  {
    number: decimalString('n.'),
    digits: decimalString('Exact number of digits of n!.'),
    trailingZeros: decimalString('Exact number of zeros at the end of n!.'),
    leadingDigits: Type.String({ pattern: '^[0-9]{1,20}$', description: 'The first 20 digits, or all when fewer.' }),
    fits: Type.Boolean({ description: 'Whether POST would accept it now, apart from limits per client.' }),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'Why it does not fit.' }),
    largestPossible: Type.Union([decimalString('n.'), Type.Null()], {
      description: 'Largest n possible, where n itself is the obstacle.',
    }),
    engine: orNull(Type.String(), 'Engine that would run it'),
    threads: orNull(Type.Integer(), 'Threads it would use'),
    storage: orNull(
      Type.Union([Type.Literal('memory'), Type.Literal('shared-memory'), Type.Literal('scratch')]),
      'Where its limbs would live: memory (one WASM memory), shared-memory (beyond that) or scratch (files)',
    ),
    storageReason: orNull(Type.String(), 'Why there'),
    memoryBytes: orNull(Type.Number(), 'Bytes of memory the run would take, here or where it fits'),
    scratchBytes: orNull(Type.Number(), 'Bytes of scratch files the run would take'),
    ioBytes: orNull(Type.Number(), 'Bytes it would read from and write to scratch files, all told'),
    estimatedSeconds: orNull(Type.Number(), 'Seconds it would take on this machine, good to a small factor'),
    from: Type.Union(
      [
        Type.Object({
          number: decimalString('m.'),
          used: Type.Boolean({ description: 'Whether n! would be computed from m!, as m!·(m + 1)…n.' }),
          reason: Type.String(),
        }),
        Type.Null(),
      ],
      { description: 'The nearest stored result below n; null when there is none near enough.' },
    ),
  },
  { title: 'Estimate' },
);
export type Estimate = Static<typeof estimateSchema>;
