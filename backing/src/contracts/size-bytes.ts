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
