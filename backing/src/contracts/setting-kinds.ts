import { parseSizeBytes } from './size-bytes.ts';

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
