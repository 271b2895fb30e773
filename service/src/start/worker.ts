import { runRole } from './run-role.ts';
import { startWorker } from './service.ts';

/** `npm run start:worker`: calculations alone, on real services. */
await runRole(
  'worker',
  startWorker,
  (url) => `Factorial worker is ready${url === undefined ? '' : `, its probes at ${url}`}\n`,
);
