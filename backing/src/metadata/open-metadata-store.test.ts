import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InputError } from '@factorial/compute';
import { describe, expect, test } from 'vitest';
import { TransientError } from '../contracts/errors.ts';
import { openMetadataStore } from './open-metadata-store.ts';

describe('opening a metadata store by its URL', () => {
  test.each([
    ['postgres', 'PostgreSQL'],
    ['postgresql', 'PostgreSQL'],
    ['mysql', 'MySQL'],
    ['mariadb', 'MySQL'],
  ])('%s:// is %s, and nothing is connected before the first call', async (scheme, product) => {
    const store = openMetadataStore({
      url: `${scheme}://user:secret-word@127.0.0.1:1/factorial`,
      connectTimeoutMs: 500,
    });
    const fault = await store.ping().catch((thrown: unknown) => thrown);
    expect(fault).toBeInstanceOf(TransientError);
    expect(String(fault)).toContain(product);
    expect(String(fault)).not.toContain('secret-word');
    await store.close();
  });

  test.each(['sqlite://file', 'redis://host', 'user:secret-word@host', '', 'POSTGRES'])('"%s" is refused', (url) => {
    const opening = () => openMetadataStore({ url });
    expect(opening).toThrow(InputError);
    expect(opening).not.toThrow('secret-word');
  });

  test.each([{ poolMax: 0 }, { statementTimeoutMs: 1.5 }, { connectTimeoutMs: 2 ** 31 }, { poolQueueMax: Number.NaN }])(
    'the bound %o is refused',
    (wrong) => {
      expect(() => openMetadataStore({ url: 'postgres://host/db', ...wrong })).toThrow(InputError);
    },
  );

  test('closing a store that was never used is fine', async () => {
    for (const url of ['postgres://127.0.0.1:1/db', 'mysql://127.0.0.1:1/db']) await openMetadataStore({ url }).close();
  });

  test('loading the package loads no database driver and no Redis client', async () => {
    const index = join(import.meta.dirname, '../index.ts');
    const script = `
      await import(${JSON.stringify(index)});
      const { Module } = await import('node:module');
      console.log(Object.keys(Module._cache).filter((file) => /node_modules.(pg|mysql2|ioredis)./.test(file)).length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim()).toBe('0');
  });
});
