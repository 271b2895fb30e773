import { runRole } from './run-role.ts';
import { startWorkflow } from './start-workflow.ts';

/** `npm run start:workflow`: the state machine of large n behind the protocol of Step Functions, on real services. */
await runRole(
  'workflow',
  (settings, log) => startWorkflow(settings, process.env, log),
  (url) => `Factorial workflow at ${url}\n`,
);
