/** One setting of the service: an environment variable with its meaning, range and default. */
export interface Setting<T> {
  readonly description: string;
  /** What a valid value looks like, for people. */
  readonly expected: string;
  /** The default as one would write it in the environment; undefined where leaving it out has a meaning of its own. */
  readonly fallback: string | undefined;
  /** Never shown in messages or logs. */
  readonly secret?: boolean;
  /** The value, or undefined when the text is not what is expected. */
  parse(text: string): T | undefined;
}

/** Text that matches a pattern. */
export const text = (description: string, expected: string, pattern: RegExp, fallback: string): Setting<string> => ({
  description,
  expected,
  fallback,
  parse: (value) => (pattern.test(value) ? value : undefined),
});

/** An integer that a double holds exactly. */
export const integer = (description: string, min: number, max: number, fallback: number): Setting<number> => ({
  description,
  expected: `an integer from ${min} to ${max}`,
  fallback: String(fallback),
  parse: (value) => {
    const parsed = /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
    return parsed >= min && parsed <= max ? parsed : undefined;
  },
});

/** A time in seconds, to the microsecond. */
export const seconds = (description: string, min: number, max: number, fallback: number): Setting<number> => ({
  description,
  expected: `a number of seconds from ${min} to ${max}`,
  fallback: String(fallback),
  parse: (value) => {
    const parsed = /^[0-9]{1,9}(\.[0-9]{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    return parsed >= min && parsed <= max ? parsed : undefined;
  },
});

/** An integer of up to 19 digits, exact. */
export const exactNumber = (description: string, min: bigint, max: bigint, fallback: bigint): Setting<bigint> => ({
  description,
  expected: `an integer from ${min} to ${max}`,
  fallback: String(fallback),
  parse: (value) => {
    if (!/^(0|[1-9][0-9]{0,18})$/.test(value)) return undefined;
    const parsed = BigInt(value);
    return parsed >= min && parsed <= max ? parsed : undefined;
  },
});

/** One of a few words. */
export const choice = <const T extends string>(description: string, values: readonly T[], fallback: T): Setting<T> => ({
  description,
  expected: `one of ${values.join(', ')}`,
  fallback,
  parse: (value) => values.find((known) => known === value),
});

/** `true` or `false`. */
export const flag = (description: string, fallback: boolean): Setting<boolean> => ({
  description,
  expected: 'true or false',
  fallback: String(fallback),
  parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
});

/** A URL of one of these schemes (with their colon), of at most 2,048 characters, as it was written. */
export const url = (description: string, expected: string, schemes: readonly string[]): Setting<string> => ({
  description,
  expected,
  fallback: '',
  parse: (value) => {
    if (value.length > 2_048 || !schemes.includes(URL.parse(value)?.protocol ?? '')) return undefined;
    return URL.parse(value)?.hostname === '' ? undefined : value;
  },
});

const sizeUnits: Record<string, bigint> = {
  '': 1n,
  B: 1n,
  KiB: 1n << 10n,
  MiB: 1n << 20n,
  GiB: 1n << 30n,
  TiB: 1n << 40n,
  PiB: 1n << 50n,
  kB: 1_000n,
  MB: 1_000_000n,
  GB: 1_000_000_000n,
  TB: 1_000_000_000_000n,
};

/** Bytes from `512MiB`, `1GiB`, `2GB` or a plain count, at most 2^53 − 1; undefined when the text is no such size. */
export function parseSizeBytes(value: string): number | undefined {
  const match = /^([0-9]{1,16})(\.[0-9]{1,3})? ?(B|KiB|MiB|GiB|TiB|PiB|kB|MB|GB|TB)?$/.exec(value);
  if (match === null) return undefined;
  const thousandths = BigInt(match[1] ?? '0') * 1000n + BigInt((match[2]?.slice(1) ?? '').padEnd(3, '0'));
  const bytes = (thousandths * (sizeUnits[match[3] ?? ''] ?? 1n)) / 1000n;
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
}

/** A number of bytes, with a unit or without. */
export const size = (description: string, min: string, max: string, fallback: string): Setting<number> => ({
  description,
  expected: `a size from ${min} to ${max}, such as 512MiB`,
  fallback,
  parse: (value) => {
    const bytes = parseSizeBytes(value);
    if (bytes === undefined || bytes < (parseSizeBytes(min) ?? 0) || bytes > (parseSizeBytes(max) ?? 0))
      return undefined;
    return bytes;
  },
});

/** Items that each match a pattern, separated by commas; none by default. */
export const list = (description: string, pattern: RegExp, expected: string): Setting<readonly string[]> => ({
  description,
  expected,
  fallback: '',
  parse: (value) => {
    const items = value === '' ? [] : value.split(',');
    return items.every((item) => pattern.test(item)) ? items : undefined;
  },
});

/** A setting without a default: left out, it has the meaning that its description says. */
export const optional = <T>(setting: Setting<T>): Setting<T | undefined> => ({ ...setting, fallback: undefined });

/** A setting whose value is never shown. */
export const secret = <T>(setting: Setting<T>): Setting<T> => ({ ...setting, secret: true });
