import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMariadb } from '../../dev/mariadb.ts';
import { startPostgres } from '../../dev/postgres.ts';
import type { RunningServer } from '../../dev/server.ts';
import { TransientError } from '../../src/contracts/errors.ts';
import { openMetadataStore } from '../../src/metadata/open-metadata-store.ts';
import { makeAuthority, type TestAuthority } from './certificates.ts';

let folder: string;
let authority: TestAuthority;
let stranger: TestAuthority;
/** By kind: one whose certificate is for this machine, one whose certificate is for another. */
const servers = new Map<string, RunningServer>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'factorial-tls-'));
  chmodSync(folder, 0o755);
  authority = makeAuthority(join(folder, 'authority'));
  stranger = makeAuthority(join(folder, 'stranger'));
  const here = authority.issue('here');
  const elsewhere = authority.issue('elsewhere', 'DNS:database.example');
  const started = await Promise.allSettled([
    startPostgres({ tls: here }),
    startPostgres({ tls: elsewhere }),
    startMariadb({ tls: here }),
    startMariadb({ tls: elsewhere }),
  ]);
  const names = ['postgres', 'postgres elsewhere', 'mysql', 'mysql elsewhere'];
  for (const [index, outcome] of started.entries())
    if (outcome.status === 'fulfilled') servers.set(names[index] ?? '', outcome.value);
  for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
}, 180_000);

afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.dispose()));
  rmSync(folder, { recursive: true, force: true });
});

/** What becomes of the first call; `undefined` when all is well. */
async function faultOf(
  name: string,
  sslmode: string,
  certificateAuthorities?: string,
  password = '',
): Promise<unknown> {
  const { url } = servers.get(name) ?? { url: '' };
  const named = new URL(url);
  named.hostname = 'localhost';
  named.password = password;
  if (sslmode !== '') named.searchParams.set('sslmode', sslmode);
  const authorities = certificateAuthorities === undefined ? {} : { certificateAuthorities };
  const store = openMetadataStore({ url: named.href, ...authorities });
  try {
    await store.ping();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await store.close();
  }
}

describe.each(['postgres', 'mysql'])('%s over TLS', (kind) => {
  test('is used when an authority that is trusted signed for this very host', async () => {
    expect(await faultOf(kind, '', authority.ca)).toBeUndefined();
    expect(await faultOf(kind, 'verify-full', authority.ca)).toBeUndefined();
    expect(await faultOf(kind, 'require', authority.ca)).toBeUndefined();
  });

  test.each([
    ['signed by a stranger', '', '', () => stranger.ca],
    ['signed by nobody that Node trusts', '', 'verify-full', () => undefined],
    ['signed by nobody that Node trusts, with sslmode=require', '', 'require', () => undefined],
    ['for another host', ' elsewhere', 'verify-full', () => authority.ca],
  ])('is refused with a certificate %s', async (_what, which, sslmode, ca) => {
    const fault = await faultOf(`${kind}${which}`, sslmode, ca(), 'secret-word');
    expect(fault).toBeInstanceOf(TransientError);
    expect(String(fault)).not.toContain('secret-word');
    expect(String(fault)).toMatch(/certificate|Hostname/i);
  });

  test('is used unchecked only with sslmode=no-verify', async () => {
    expect(await faultOf(`${kind} elsewhere`, 'no-verify')).toBeUndefined();
  });
});
