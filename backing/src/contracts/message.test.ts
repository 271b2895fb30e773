import { expect, test } from 'vitest';
import { PoisonMessageError } from './errors.ts';
import { parseCalculationRequest } from './message.ts';

test('a valid request is copied and frozen', () => {
  const body = { version: 1, number: '9223372036854775807', attempt: 3 };
  const request = parseCalculationRequest(body);
  expect(request).toEqual(body);
  expect(request).not.toBe(body);
  expect(Object.isFrozen(request)).toBe(true);
  expect(parseCalculationRequest({ version: 1, number: '0', attempt: 1 }).number).toBe('0');
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

test.each([
  ['no object', 'hello', 'object'],
  ['nothing', undefined, 'object'],
  ['null', null, 'object'],
  ['an array', [1], ''],
  ['another version', { version: 2, number: '5', attempt: 1 }, '/version'],
  ['no version', { number: '5', attempt: 1 }, 'version'],
  ['a number in place of text', { version: 1, number: 5, attempt: 1 }, '/number'],
  ['a leading zero', { version: 1, number: '05', attempt: 1 }, '/number'],
  ['a sign', { version: 1, number: '-5', attempt: 1 }, '/number'],
  ['a trailing line break', { version: 1, number: '5\n', attempt: 1 }, '/number'],
  ['twenty digits', { version: 1, number: '1'.repeat(20), attempt: 1 }, '/number'],
  ['a megabyte of digits', { version: 1, number: '1'.repeat(1_000_000), attempt: 1 }, '/number'],
  ['attempt zero', { version: 1, number: '5', attempt: 0 }, '/attempt'],
  ['half an attempt', { version: 1, number: '5', attempt: 1.5 }, '/attempt'],
  ['a member too many', { version: 1, number: '5', attempt: 1, admin: true }, 'additional'],
  ['a cycle', cyclic, 'version'],
  ['a bigint', { version: 1n, number: '5', attempt: 1 }, '/version'],
])('%s is poison, and the error says what is wrong, briefly', (_what, body, named) => {
  let fault: unknown;
  try {
    parseCalculationRequest(body);
  } catch (caught) {
    fault = caught;
  }
  expect(fault).toBeInstanceOf(PoisonMessageError);
  expect((fault as Error).message).toContain(named);
  expect((fault as Error).message.length).toBeLessThan(1_000);
});
