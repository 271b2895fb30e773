import { describe, expect, it } from 'vitest';
import { negotiate } from './negotiate.ts';

const offers = ['text/plain', 'application/json'] as const;

describe('an Accept field', () => {
  it.each([
    [undefined, 'text/plain'],
    ['', 'text/plain'],
    ['*/*', 'text/plain'],
    ['text/plain;q=0.2, application/json;q=0.3', 'application/json'],
    ['application/json;q=0.3, text/plain;q=0.300', 'text/plain'],
    ['*/*;q=0.5, application/json', 'application/json'],
    ['text/*;q=0.1, application/*;q=0.2', 'application/json'],
    ['text/plain;q=0, text/*', undefined],
    ['*/*;q=0', undefined],
    ['image/*', undefined],
    ['text/plain;q=1.5', undefined],
    ['text/plain;q=abc', undefined],
    ['*/plain', 'text/plain'],
    ['text', 'text/plain'],
    ['application/json;charset=utf-8', 'application/json'],
    ['text/plain ; Q=0.1 , application/json ; q=0.9', 'application/json'],
  ])('%s chooses %s', (accept, expected) => {
    expect(negotiate(accept, offers)).toBe(expected);
  });

  it('is read in bounded time however long', () => {
    const startedAt = performance.now();
    negotiate(`${'a/b;q=0.1,'.repeat(100_000)}application/json`, offers);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
