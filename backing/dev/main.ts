/** `main.ts [DIRECTORY]`: all backing services for local work, until Ctrl-C. DIRECTORY keeps their data from run to run. */
import { resolve } from 'node:path';
import { startServices } from './services.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Resolves at the first signal; later ones are taken too, so that none ends this process before the servers are stopped. */
const stopped = new Promise<void>((asked) => {
  for (const signal of signals) process.on(signal, () => asked());
});

try {
  const [directory] = process.argv.slice(2);
  say('Starting PostgreSQL, MariaDB, Redis, RabbitMQ and an S3 server (the first time this installs them) …');
  const services = await startServices(directory === undefined ? undefined : resolve(directory));
  for (const [name, value] of Object.entries(services.environment)) process.stdout.write(`export ${name}='${value}'\n`);
  process.stdout.write(`# MySQL instead of PostgreSQL: export DATABASE_URL='${services.mysqlUrl}'\n`);
  process.stdout.write(
    '# Large n through Step Functions: npm run start:workflow prints the settings of API and worker for it\n',
  );
  say('Ready. Copy the lines above into the shell of the service. Ctrl-C stops everything.');
  // The handlers of signals alone do not keep a process running.
  const staying = setInterval(() => undefined, 2 ** 30);
  await stopped;
  clearInterval(staying);
  say('Stopping …');
  await services.dispose();
} catch (fault) {
  say((fault as Error).message);
  process.exitCode = 1;
}
// Signal handlers are all that is left.
process.exit();
