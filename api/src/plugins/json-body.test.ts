import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from './json-body.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

describe('strict JSON', () => {
  it('reads whatever JSON.parse reads, as long as numbers are plain safe integers and members are named once', () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.maxSafeNat(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds a member named twice at any depth, however it is escaped, and none where there is none', () => {
    expect(() => parse('[{"a": {"b": 1, "\\u0062": 2}}]')).toThrow(/"b" twice/);
    expect(() => parse('{"a": [1, {"a": 1}], "a": 2}')).toThrow(/"a" twice/);
    expect(parse('{"a": {"a": {"a": 1}}, "b": ["a", "a", {"a": 1}, {"a": 2}]}')).toBeTypeOf('object');
    expect(parse('{"a": "\\"}, \\"a\\": 1", "b": "{\\\\"}')).toBeTypeOf('object');
  });

  it.each(['-1', '0.1', '1.0', '1e1', '1E+1', '9007199254740992', '-0', '1'.repeat(400)])(
    'refuses the number %s wherever it stands',
    (literal) => {
      for (const text of [literal, `[0, ${literal}]`, `{"x": ${literal}}`, `{"x": [{"y": ${literal}}]}`]) {
        expect(() => parse(text)).toThrow(/expected/);
      }
      expect(parse(JSON.stringify(literal))).toBe(literal);
    },
  );
});
