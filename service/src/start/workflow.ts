import { runRole } from './run-role.ts';
import { startWorkflow } from './start-workflow.ts';

/** `npm run start:workflow`: the state machine of large n behind the protocol of Step Functions, on real services. */
await runRole('workflow', startWorkflow, (url) => `Factorial workflow at ${url}\n`);
