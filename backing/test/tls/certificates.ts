import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate authority of a test, and certificates it signed. */
export interface TestAuthority {
  /** PEM. */
  readonly caFile: string;
  readonly ca: string;
  /** A certificate for 127.0.0.1 and localhost, or for the names given. */
  issue(name: string, subjectAltName?: string): { readonly certFile: string; readonly keyFile: string };
}

const local = 'IP:127.0.0.1,DNS:localhost';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Make an authority in a folder with the `openssl` of this machine. */
export function makeAuthority(folder: string): TestAuthority {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const caFile = join(folder, 'ca.pem');
  const caKey = join(folder, 'ca.key');
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test authority', '-keyout', caKey, '-out', caFile);
  return {
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    issue(name, subjectAltName = local) {
      const [certFile, keyFile, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((ending) =>
        join(folder, `${name}.${ending}`),
      ) as [string, string, string, string];
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', request);
      writeFileSync(extensions, `subjectAltName=${subjectAltName}\n`);
      const signing = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signing, '-out', certFile);
      return { certFile, keyFile };
    },
  };
}
