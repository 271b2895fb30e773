const digits = '^[0-9]+$';
const size = '^[0-9]{1,16}(\\.[0-9]{1,3})? ?(B|KiB|MiB|GiB|TiB|PiB|kB|MB|GB|TB)?$';

/** JSON schema of a value of the setting, from what the table says a valid one looks like. */
export function settingSchema({ description, expected }) {
  const range = /^an integer from (\d+) to (\d+)$/.exec(expected);
  if (range) {
    const [minimum, maximum] = range.slice(1).map(Number);
    // YAML numbers are floats to Helm: beyond 2^53 only a string is exact.
    const bounds = { minimum, maximum: Math.min(maximum, Number.MAX_SAFE_INTEGER) };
    return {
      description,
      anyOf: [
        { type: 'integer', ...bounds },
        { type: 'string', pattern: digits },
      ],
    };
  }
  const seconds = /^a number of seconds from ([\d.]+) to ([\d.]+)$/.exec(expected);
  if (seconds) return { description, type: 'number', minimum: Number(seconds[1]), maximum: Number(seconds[2]) };
  const choices = /^one of (.+)$/.exec(expected);
  if (choices) return { description, enum: choices[1].split(', ') };
  if (expected === 'true or false') return { description, type: 'boolean' };
  if (/^a size /.test(expected)) {
    const bytes = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
    return { description, anyOf: [{ type: 'string', pattern: size }, bytes] };
  }
  return { description, type: 'string' };
}

const awsCredentials = {
  AWS_ACCESS_KEY_ID: { description: 'For S3 servers without Pod Identity or IRSA.', type: 'string', minLength: 1 },
  AWS_SECRET_ACCESS_KEY: { description: 'For S3 servers without Pod Identity or IRSA.', type: 'string', minLength: 1 },
};

/**
 * The schemas of `settings` and `secrets` in values.schema.json. Every setting is admitted under `settings`: templates refuse secrets
 * and what follows from other values, because they can say why.
 */
export function settingsSchemas(table) {
  const names = Object.keys(table);
  const secrets = names.filter((name) => table[name].secret);
  return {
    settings: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(names.map((name) => [name, settingSchema(table[name])])),
    },
    secrets: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...Object.fromEntries(
          secrets.map((name) => [name, { description: table[name].description, type: 'string', minLength: 1 }]),
        ),
        ...awsCredentials,
      },
    },
  };
}
