import { describe, expect, it } from 'vitest';
import { ConnectionLimit } from './connection-limit.ts';

describe('a connection limit', () => {
  it('holds per client and in all, and a place is given back once', () => {
    const limit = new ConnectionLimit(3, 2);
    const [first, second] = [limit.enter('a'), limit.enter('a')];
    expect([first, second].every((leave) => leave !== undefined)).toBe(true);
    expect(limit.enter('a')).toBeUndefined();
    expect(limit.enter('b')).toBeDefined();
    expect(limit.enter('c')).toBeUndefined();
    first?.();
    first?.();
    expect(limit.enter('c')).toBeDefined();
    expect(limit.enter('c')).toBeUndefined();
    second?.();
    expect(limit.enter('a')).toBeDefined();
  });
});
