import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError, settingDefinitions } from './settings.ts';
import { parseSizeBytes } from './size-bytes.ts';

describe('readSettings', () => {
  it('takes every default when the environment is empty', () => {
    const settings = readSettings({});
    expect(settings.PORT).toBe(3000);
    expect(settings.MAX_NUMBER).toBe(100_000_000n);
    expect(settings.LARGE_FROM).toBe(1_000_000_000n);
    expect(settings.CACHE_MAX_VALUE_BYTES).toBe(1_048_576);
    expect(settings.THREADS).toBeUndefined();
    expect(settings.API_KEYS).toEqual([]);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('treats an empty value as unset', () => {
    expect(readSettings({ PORT: '' }).PORT).toBe(3000);
  });

  it('keeps integers beyond 2^53 exact', () => {
    expect(readSettings({ MAX_NUMBER: '9007199254740993' }).MAX_NUMBER).toBe(9_007_199_254_740_993n);
  });

  it.each([
    ['PORT', 'abc', 'PORT: expected an integer from 0 to 65535, got "abc"'],
    ['PORT', '65536', 'got "65536"'],
    ['PORT', '-1', 'got "-1"'],
    ['PORT', '3e3', 'got "3e3"'],
    ['PORT', '03000', 'got "03000"'],
    ['HOST', 'a b', 'HOST: expected an IP address or host name, got "a b"'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL: expected one of fatal, error, warn, info, debug, silent, got "loud"'],
    ['THREADS', '0', 'THREADS: expected an integer from 1 to 256, got "0"'],
    ['MAX_NUMBER', '1.5', 'MAX_NUMBER: expected an integer from 0 to 9223372036854775807, got "1.5"'],
    ['MAX_NUMBER', '9223372036854775808', 'got "9223372036854775808"'],
    ['COMPUTE_MEMORY_BYTES', '1MiB', 'COMPUTE_MEMORY_BYTES: expected a size from 64MiB to 1PiB'],
    ['COMPUTE_MEMORY_BYTES', '512 mib', 'such as 512MiB, got "512 mib"'],
    ['LEASE_SECONDS', 'NaN', 'LEASE_SECONDS: expected a number of seconds from 1 to 3600, got "NaN"'],
    [
      'TRUSTED_PROXIES',
      'yes',
      'TRUSTED_PROXIES: expected IP addresses or CIDR networks, separated by commas, got "yes"',
    ],
    ['HEARTBEAT_SECONDS', '20', 'HEARTBEAT_SECONDS: expected at most half of LEASE_SECONDS (30), got 20'],
    ['CACHE_MAX_VALUE_BYTES', '128MiB', 'CACHE_MAX_VALUE_BYTES: expected at most CACHE_MAX_BYTES'],
  ])('refuses %s=%s and says what was expected and got', (name, value, message) => {
    expect(() => readSettings({ [name]: value })).toThrow(SettingsError);
    expect(() => readSettings({ [name]: value })).toThrow(message);
  });

  it('takes the addresses of real services and leaves absent ones undefined', () => {
    const settings = readSettings({
      DATABASE_URL: 'postgres://user:p%40ss@db.example:5432/factorial',
      AMQP_URL: 'amqps://user:secret@broker.example/vhost',
      S3_BUCKET: 'factorials',
      S3_FORCE_PATH_STYLE: 'false',
    });
    expect(settings).toMatchObject({
      DATABASE_URL: 'postgres://user:p%40ss@db.example:5432/factorial',
      S3_FORCE_PATH_STYLE: false,
    });
    expect(settings.REDIS_URL).toBeUndefined();
    expect(settings.S3_ENDPOINT).toBeUndefined();
  });

  it.each([
    [{ S3_ENDPOINT: 'http://127.0.0.1:9000' }, 'S3_BUCKET: expected the name of a bucket beside S3_ENDPOINT'],
    [{ PRESIGN_MIN_BYTES: '1GiB' }, 'S3_BUCKET: expected the name of a bucket beside PRESIGN_MIN_BYTES'],
    [{ S3_BUCKET: 'b1', S3_KMS_KEY_ID: 'k' }, 'S3_SERVER_SIDE_ENCRYPTION: expected aws:kms beside S3_KMS_KEY_ID'],
    [{ S3_BUCKET: 'b1', S3_FORCE_PATH_STYLE: 'yes' }, 'S3_FORCE_PATH_STYLE: expected true or false, got "yes"'],
    [{ S3_BUCKET: 'b1', S3_PREFIX: 'no-slash' }, 'S3_PREFIX: expected up to four names'],
    [{ ACK_AFTER_DONE_MAX_SECONDS: '1800' }, 'ACK_AFTER_DONE_MAX_SECONDS: expected a number of seconds'],
  ])('refuses %j, which cannot work', (environment, message) => {
    expect(() => readSettings(environment)).toThrow(message);
  });

  it.each(['DATABASE_URL', 'REDIS_URL', 'AMQP_URL'])('refuses a wrong %s without showing it', (name) => {
    for (const value of ['ftp://user:hunter2@host/', 'hunter2', '://hunter2']) {
      expect(() => readSettings({ [name]: value })).toThrow(`${name}: expected a URL such as`);
      expect(() => readSettings({ [name]: value })).not.toThrow(/hunter2/);
    }
  });

  it('never shows a secret', () => {
    expect(() => readSettings({ API_KEYS: 'hunter2' })).toThrow(/got a value that is not shown/);
    expect(() => readSettings({ API_KEYS: 'hunter2' })).not.toThrow(/hunter2/);
  });

  it('names every wrong variable at once and cuts a long value', () => {
    const wrong = () => readSettings({ PORT: 'x'.repeat(10_000), HOST: '' + ' ' });
    expect(wrong).toThrow(/2 settings are wrong/);
    try {
      wrong();
    } catch (error) {
      expect(String(error).length).toBeLessThan(500);
    }
  });

  it('has defaults that each parse, with a description', () => {
    for (const [name, definition] of Object.entries(settingDefinitions)) {
      expect(definition.description, name).toMatch(/\.$/);
      if (definition.fallback !== undefined) expect(definition.parse(definition.fallback), name).toBeDefined();
    }
  });
});

describe('parseSizeBytes', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['512MiB', 536_870_912],
    ['1.5GiB', 1_610_612_736],
    ['2GB', 2_000_000_000],
    ['9007199254740991', 9_007_199_254_740_991],
  ])('reads %s', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(['', '-1', 'MiB', '1XB', '1e9', '9007199254740992', '8388609TiB', '1,5MiB', '0x10'])('refuses %j', (text) => {
    expect(parseSizeBytes(text)).toBeUndefined();
  });
});
