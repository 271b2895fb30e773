import { runRole } from './run-role.ts';
import { startApi } from './service.ts';
import { keepAnswersYoung } from './young-answers.ts';

keepAnswersYoung();

/** `npm run start:api`: HTTP alone, on real services. */
await runRole('api', startApi, (url) => `Factorial API at ${url}\n`);
