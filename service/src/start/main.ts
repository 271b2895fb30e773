import { runRole } from './run-role.ts';
import { startService } from './service.ts';
import { keepAnswersYoung } from './young-answers.ts';

keepAnswersYoung();

/** `npm start`: everything in one process. */
await runRole('all', startService, (url) =>
  [
    '',
    `Factorial service at ${url}`,
    '',
    'Try it:',
    `  curl -s -X POST ${url}/factorial -H 'content-type: application/json' -d '{"number": 20000}'; sleep 1; curl -s '${url}/factorial?number=20000' | head -c 100`,
    '',
    `In a browser: ${url}/    API: ${url}/docs    Ctrl-C stops it.`,
    '',
    '',
  ].join('\n'),
);
