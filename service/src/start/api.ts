import { runRole } from './run-role.ts';
import { startApi } from './service.ts';

/** `npm run start:api`: HTTP alone, on real services. */
await runRole('api', startApi, (url) => `Factorial API at ${url}\n`);
