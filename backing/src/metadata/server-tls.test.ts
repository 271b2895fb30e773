import { InputError } from '@factorial/compute';
import { describe, expect, test } from 'vitest';
import { serverAddress } from './server-tls.ts';

const base = 'postgres://user:secret@host:5432/db';

describe('TLS to a database', () => {
  test('is off when nobody asks for it, and the URL stays as it is', () => {
    const url = `${base}?application_name=a%20b`;
    expect(serverAddress(url, undefined)).toEqual({ url, tls: undefined });
    expect(serverAddress(`${base}?sslmode=disable`, undefined)).toEqual({ url: base, tls: undefined });
  });

  test.each(['require', 'verify-ca', 'verify-full'])('is checked with sslmode=%s', (mode) => {
    const url = `${base}?sslmode=${mode}`;
    expect(serverAddress(url, undefined)).toEqual({ url: base, tls: { rejectUnauthorized: true } });
    expect(serverAddress(url, 'PEM')).toEqual({ url: base, tls: { ca: 'PEM', rejectUnauthorized: true } });
  });

  test('is checked as soon as there are authorities to check it against', () => {
    expect(serverAddress(base, 'PEM')).toEqual({ url: base, tls: { ca: 'PEM', rejectUnauthorized: true } });
  });

  test('is unchecked only where that is said', () => {
    expect(serverAddress(`${base}?sslmode=no-verify`, undefined).tls).toEqual({ rejectUnauthorized: false });
  });

  test.each([
    ['prefer', undefined],
    ['Require', undefined],
    ['no-verify', 'PEM'],
    ['disable', 'PEM'],
  ])('sslmode=%s with authorities %s is refused, without the secrets of the URL', (mode, authorities) => {
    const asked = () => serverAddress(`${base}?sslmode=${mode}`, authorities);
    expect(asked).toThrow(InputError);
    expect(asked).not.toThrow('secret');
  });
});
