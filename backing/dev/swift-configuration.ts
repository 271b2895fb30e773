/** Where a Swift server keeps its files and rings, and as whom it runs. */
export interface SwiftPlace {
  readonly directory: string;
  readonly user: string;
  readonly port: number;
}

/** Headers that an object keeps beside its bytes. */
const objectHeaders = [
  'Content-Disposition',
  'Content-Encoding',
  'X-Delete-At',
  'X-Object-Manifest',
  'X-Static-Large-Object',
  'Cache-Control',
  'Content-Language',
  'Expires',
  'X-Robots-Tag',
];

/** As many parts as S3 takes; Swift's own default is 1,000. */
const maxParts = 10_000;

const proxyFilters: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  catch_errors: {},
  'proxy-logging': { use: 'proxy_logging' },
  // Nobody listens on port 1: without a shared memory every request asks the storage servers, and a restart forgets nothing.
  cache: { use: 'memcache', memcache_servers: '127.0.0.1:1' },
  listing_formats: {},
  bulk: {},
  s3api: {
    s3_acl: 'false',
    check_bucket_owner: 'false',
    min_segment_size: String(5 * 2 ** 20),
    max_upload_part_num: String(maxParts),
    location: 'us-east-1',
  },
  tempauth: { user_test_tester: 'testing .admin' },
  copy: {},
  slo: { max_manifest_segments: String(maxParts), max_manifest_size: String(16 * 2 ** 20) },
  dlo: {},
  versioned_writes: { allow_object_versioning: 'true' },
  symlink: {},
};

/** The front server: the S3 interface over Swift's own. */
export function swiftProxyConfiguration(place: SwiftPlace & { readonly region: string }): string {
  const filters = Object.entries(proxyFilters).map(([name, settings]) => {
    const merged = { ...settings, ...(name === 's3api' ? { location: place.region } : {}) };
    const { use = name, ...rest } = merged as Record<string, string>;
    return section(`filter:${name}`, { use: `egg:swift#${use}`, ...rest });
  });
  const pipeline = [...Object.keys(proxyFilters), 'proxy-logging', 'proxy-server'].join(' ');
  return [
    section('DEFAULT', common(place)),
    section('pipeline:main', { pipeline }),
    section('app:proxy-server', {
      use: 'egg:swift#proxy',
      allow_account_management: 'true',
      account_autocreate: 'true',
    }),
    ...filters,
  ].join('\n');
}

/** One of the three servers behind it. */
export function swiftStorageConfiguration(place: SwiftPlace & { readonly kind: string }): string {
  const { kind, directory } = place;
  const ofObjects = { auto_create_account_prefix: '.', allowed_headers: objectHeaders.join(', ') };
  return [
    section('DEFAULT', {
      ...common(place),
      mount_check: 'false',
      devices: `${directory}/devices`,
      disable_fallocate: 'true',
      fallocate_reserve: '0',
    }),
    section('pipeline:main', { pipeline: `recon ${kind}-server` }),
    section('filter:recon', { use: 'egg:swift#recon', recon_cache_path: `${directory}/recon` }),
    section(`app:${kind}-server`, { use: `egg:swift#${kind}`, ...(kind === 'object' ? ofObjects : {}) }),
  ].join('\n');
}

function common({ directory, user, port }: SwiftPlace): Readonly<Record<string, string>> {
  return {
    user,
    bind_ip: '127.0.0.1',
    bind_port: String(port),
    // One process each: 0 serves from the parent itself.
    workers: '0',
    swift_dir: directory,
    log_level: 'WARNING',
  };
}

function section(name: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}`);
  return [`[${name}]`, ...lines, ''].join('\n');
}
