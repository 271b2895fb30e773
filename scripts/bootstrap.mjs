// Makes a fresh clone runnable: installs what the lockfile names, builds what changed, and runs the asked command on
// Node 24 whatever the host has. Plain JavaScript without dependencies, because it runs before anything is installed;
// it must keep working on Node 20.
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeMajor = 24;
const stampFolder = join(root, '.stamps');
const lockWaitMs = 15 * 60_000;
const buildInputs = /\.(ts|mjs|json)$/;
const notInputs = new Set(['node_modules', 'dist', 'build', 'data', 'test', '.git', '.stamps', 'charts', 'acceptance']);

/** Absolute path of a Node binary of the wanted major: this process's own, or the one among the dependencies. */
export function nodeBinary() {
  if (Number(process.versions.node.split('.')[0]) >= nodeMajor) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch (cause) {
    throw new Error(
      `expected Node ${nodeMajor} or newer, got ${process.version}, and no prebuilt Node comes for ` +
        `${process.platform}/${process.arch}: install Node ${nodeMajor} and run this again`,
      { cause },
    );
  }
}

/** Run a program to its end; signals are passed on, `watch` sees the child first. Resolves to its exit code. */
export async function run(program, args, options = {}, watch = () => {}) {
  // Loaded here, because a command that has nothing to install, build or spawn is to start at once.
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options });
    watch(child);
    // From a terminal the child gets the signal too; otherwise it must be told. Either way this process waits for it.
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1));
    });
  });
}

/** Install and build whatever is not up to date; a no-op of a few milliseconds when everything is. */
export async function prepare({ quiet = false } = {}) {
  if (installStamp() === readStamp('install') && buildStamp() === readStamp('build')) return;
  await locked(async () => {
    const say = (text) => process.stderr.write(`${text}\n`);
    if (installStamp() !== readStamp('install') || !existsSync(join(root, 'node_modules'))) {
      say('Installing dependencies (once; they are locked by package-lock.json) …');
      await step('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], quiet);
      writeStamp('install', installStamp());
    }
    const built = buildStamp();
    if (built !== readStamp('build')) {
      say('Building …');
      await step(nodeBinary(), [join('compute', 'scripts', 'build-kernels.mjs')], quiet);
      await step(nodeBinary(), [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'], quiet);
      await step(nodeBinary(), [join('service', 'scripts', 'bundle-cli.mjs')], quiet);
      writeStamp('build', built);
    }
  });
}

async function step(program, args, quiet) {
  // What a tool prints goes to stderr: stdout belongs to the command that follows (digits may be piped).
  const code = await run(program, args, {
    stdio: ['ignore', quiet ? 'ignore' : 2, 2],
    shell: process.platform === 'win32' && program === 'npm',
    env: { ...process.env, NODE_ENV: '' },
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${code}`);
}

function installStamp() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** Path, size and modification time of every file the build reads: as text, since it is compared at every start. */
function buildStamp() {
  const lines = [process.platform, readFileSync(join(root, 'tsconfig.base.json'), 'utf8')];
  const visit = (folder) => {
    const entries = readdirSync(`${root}/${folder}`, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const { name } = entry;
      if (notInputs.has(name)) continue;
      const path = `${folder}/${name}`;
      if (entry.isDirectory()) visit(path);
      else if (buildInputs.test(name) && !name.endsWith('.test.ts')) {
        const { size, mtimeMs } = statSync(`${root}/${path}`);
        lines.push(`${path}:${size}:${mtimeMs}`);
      }
    }
  };
  for (const workspace of ['compute', 'backing', 'api', 'worker', 'sfn', 'service', 'bench']) visit(workspace);
  return lines.join('\n');
}

function readStamp(name) {
  const path = join(stampFolder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function writeStamp(name, value) {
  writeFileSync(join(stampFolder, name), value);
}

/** Run `work` while no other process installs or builds in this tree. A lock whose owner died is taken over. */
async function locked(work) {
  mkdirSync(stampFolder, { recursive: true });
  const path = join(stampFolder, 'lock');
  const deadline = Date.now() + lockWaitMs;
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeFileSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!ownerAlive(path)) rmSync(path, { force: true });
    else if (Date.now() > deadline) throw new Error(`another process is still installing or building (${path})`);
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function ownerAlive(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid === 0) return Date.now() - statSync(path).mtimeMs < 1000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Run a process of the service. It ends when this process goes away: that is what the channel is for. */
function serve(entry, args) {
  return run(nodeBinary(), [join('service', 'dist', 'start', entry), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
}

const commands = {
  build: async () => 0,
  start: (args) => serve('main.js', args),
  'start:api': (args) => serve('api.js', args),
  'start:worker': (args) => serve('worker.js', args),
  'start:workflow': (args) => serve('workflow.js', args),
  migrate: (args) => run(nodeBinary(), [join('service', 'dist', 'start', 'migrate.js'), ...args]),
  'dev:services': (args) => run(nodeBinary(), [join('backing', 'dev', 'main.ts'), ...args]),
  synth: (args) => run(nodeBinary(), [join('sfn', 'infra', 'run.mjs'), 'synth', ...args]),
  'test:slow': async (args) =>
    (await run(nodeBinary(), [join('compute', 'test', 'slow', 'bounded-memory.mjs'), ...args])) ||
    (await run(nodeBinary(), [join('acceptance', 'slow', 'service-memory.ts')])),
  'test:load': (args) => run(nodeBinary(), [join('bench', 'load', 'main.ts'), ...args]),
  test: (args) => run(nodeBinary(), [join('scripts', 'test.mjs'), ...args]),
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [name, ...args] = process.argv.slice(2);
  try {
    if (!Object.hasOwn(commands, name ?? '')) {
      throw new Error(`expected one of ${Object.keys(commands).join(', ')}, got ${name ?? 'nothing'}`);
    }
    await prepare();
    process.exitCode = await commands[name](args);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
