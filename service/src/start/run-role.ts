import { existsSync } from 'node:fs';
import { readSettings, type Settings, SettingsError } from '@factorial/backing';
import { type Logger, pino } from 'pino';
import { watchStopSignals } from '../stop-signals.ts';
import { assertRole, type Role } from './role.ts';
import type { RunningService } from './service.ts';

/** What a stop may take beyond the drain of its parts: aborting calculations, closing connections. */
const stopGraceMs = 15_000;

/**
 * Run one process of the service from its environment (and `.env`) to its end: settings, start, greeting on stdout, drain at the first
 * SIGINT or SIGTERM or when the process that started this one goes away. Ends the process with 0, or with 1 and the reason on stderr.
 */
export async function runRole(
  role: Role,
  start: (settings: Settings, log: Logger) => Promise<RunningService>,
  greeting: (url: string | undefined) => string,
): Promise<void> {
  await endProcess(role, async () => {
    const { settings, log } = readProcess(role);
    const stop = stopRequested();
    const service = await start(settings, log);
    process.stdout.write(greeting(service.url));
    await stop;
    const parts = role === 'all' ? 2 : 1;
    const watchdog = setTimeout(
      () => {
        log.error({}, 'the drain took too long: ended by force, leases run out by themselves');
        process.exit(1);
      },
      parts * settings.DRAIN_SECONDS * 1000 + stopGraceMs,
    );
    await service.stop();
    clearTimeout(watchdog);
  });
}

/** Do one thing and end, as `runRole` ends. */
export async function runOnce(role: Role, work: (settings: Settings, log: Logger) => Promise<void>): Promise<void> {
  await endProcess(role, async () => {
    const { settings, log } = readProcess(role);
    await work(settings, log);
  });
}

function readProcess(role: Role): { readonly settings: Settings; readonly log: Logger } {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings(process.env);
  assertRole(role, settings);
  return { settings, log: pino({ level: settings.LOG_LEVEL, base: null }) };
}

async function endProcess(role: Role, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exitCode = 0;
    if (process.connected) process.disconnect();
  } catch (error) {
    const known = error instanceof SettingsError || (error instanceof Error && 'code' in error);
    const what = role === 'migrate' ? 'The migration did not run' : 'The service did not start';
    process.stderr.write(`${what}: ${known && error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** Resolves at the first SIGINT or SIGTERM, or when the process that started this one goes away. */
function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    watchStopSignals(() => resolve());
    process.once('disconnect', resolve);
  });
}
