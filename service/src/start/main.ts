import { existsSync } from 'node:fs';
import { readSettings, SettingsError } from '@factorial/backing';
import { pino } from 'pino';
import { watchStopSignals } from '../stop-signals.ts';
import { type RunningService, startService } from './service.ts';

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings(process.env);
  const log = pino({ level: settings.LOG_LEVEL, base: null });
  const stop = stopRequested();
  const service = await startService(settings, log);
  process.stdout.write(greeting(service.url));
  await stop;
  await service.stop();
}

/** Resolves at the first SIGINT or SIGTERM, or when the process that started this one goes away. */
function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    watchStopSignals(() => resolve());
    process.once('disconnect', resolve);
  });
}

function greeting(url: RunningService['url']): string {
  return [
    '',
    `Factorial service at ${url}`,
    '',
    'Try it:',
    `  curl -s -X POST ${url}/factorial -H 'content-type: application/json' -d '{"number": 20000}'; sleep 1; curl -s '${url}/factorial?number=20000' | head -c 100`,
    '',
    `In a browser: ${url}/    API: ${url}/docs    Ctrl-C stops it.`,
    '',
    '',
  ].join('\n');
}

try {
  await main();
  process.exitCode = 0;
  if (process.connected) process.disconnect();
} catch (error) {
  const known = error instanceof SettingsError || (error instanceof Error && 'code' in error);
  process.stderr.write(
    `The service did not start: ${known && error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
}
