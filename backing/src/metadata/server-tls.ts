import { InputError } from '@factorial/compute';

/** How a connection to a database server is encrypted, in the words of `node:tls`. */
export interface ServerTls {
  /** PEM; left out: the authorities that Node trusts. */
  readonly ca?: string;
  /** False only for `sslmode=no-verify`. */
  readonly rejectUnauthorized: boolean;
}

const verifiedModes = ['require', 'verify-ca', 'verify-full'];

/**
 * The URL without its `sslmode`, and what that and the authorities say of TLS. Authorities, or `sslmode` as `require`, `verify-ca` or
 * `verify-full`: the certificate and the host name are checked, always (a check of less is none). `no-verify`: encrypted, not checked. `disable`
 * or nothing: not encrypted. `InputError` for any other mode, and for authorities that would not be used.
 */
export function serverAddress(
  url: string,
  certificateAuthorities: string | undefined,
): { readonly url: string; readonly tls: ServerTls | undefined } {
  const parsed = URL.parse(url);
  const mode = parsed?.searchParams.get('sslmode') ?? undefined;
  if (parsed === null || (mode === undefined && certificateAuthorities === undefined)) return { url, tls: undefined };
  if (mode !== undefined && ![...verifiedModes, 'no-verify', 'disable'].includes(mode)) {
    throw new InputError(`sslmode as one of ${verifiedModes.join(', ')}, no-verify, disable`, mode.slice(0, 40));
  }
  const unchecked = mode === 'no-verify' || mode === 'disable';
  if (unchecked && certificateAuthorities !== undefined) {
    throw new InputError('a checked sslmode beside certificate authorities', mode);
  }
  parsed.searchParams.delete('sslmode');
  const ca = certificateAuthorities === undefined ? {} : { ca: certificateAuthorities };
  const tls = mode === 'disable' ? undefined : { ...ca, rejectUnauthorized: mode !== 'no-verify' };
  return { url: parsed.href, tls };
}
