import { createServer } from 'node:net';
import { createStepFunctionsWorkflowEngine, TransientError } from '@factorial/backing';
import { InputError } from '@factorial/compute';
import { describe, expect, it } from 'vitest';
import {
  describeWorkflowEngineContract,
  ended,
  oneTask,
} from '../../backing/test/contracts/workflow-engine.contract.ts';
import { startStepFunctionsEndpoint } from '../src/endpoint/step-functions-endpoint.ts';

const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };

describeWorkflowEngineContract('the Step Functions workflow engine, over HTTP,', async (definition, handlers) => {
  const endpoint = await startStepFunctionsEndpoint({ definition, handlers });
  const engine = createStepFunctionsWorkflowEngine({
    stateMachineArn: endpoint.stateMachineArn,
    endpoint: endpoint.url,
    credentials,
  });
  return {
    engine,
    dispose: async () => {
      await engine.close();
      await endpoint.close();
    },
  };
});

describe('the Step Functions workflow engine', () => {
  const stateMachineArn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:factorial';

  it.each(['', 'factorial', 'arn:aws:lambda:eu-central-1:123456789012:function:f', `${stateMachineArn}:1`])(
    'refuses %j as the ARN of a state machine',
    (arn) => {
      expect(() => createStepFunctionsWorkflowEngine({ stateMachineArn: arn })).toThrow(InputError);
    },
  );

  it('says that a service which does not answer may answer later', async () => {
    const engine = createStepFunctionsWorkflowEngine({
      stateMachineArn,
      endpoint: 'http://127.0.0.1:9',
      credentials,
      maxAttempts: 1,
    });
    await expect(engine.start('a', {})).rejects.toThrow(TransientError);
    await expect(engine.describe('a')).rejects.toThrow(TransientError);
    await expect(engine.stop('a', 'b')).rejects.toThrow(TransientError);
    await expect(engine.ping()).rejects.toThrow(TransientError);
    await engine.close();
    await expect(engine.ping()).rejects.toThrow(/closed/);
  });

  it('gives up on a service that accepts the connection and says nothing', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const endpoint = `http://127.0.0.1:${port}`;
    const limits = { maxAttempts: 1, requestTimeoutMs: 200 };
    const engine = createStepFunctionsWorkflowEngine({ stateMachineArn, endpoint, credentials, ...limits });
    const before = performance.now();
    await expect(engine.ping()).rejects.toThrow(TransientError);
    expect(performance.now() - before).toBeLessThan(5_000);
    await engine.close();
    silent.close();
  });

  it('names what an operator must put right', async () => {
    const endpoint = await startStepFunctionsEndpoint({ definition: oneTask, handlers: { work: async () => 1 } });
    const engine = createStepFunctionsWorkflowEngine({ stateMachineArn, endpoint: endpoint.url, credentials });
    await expect(engine.start('a', {})).rejects.toThrow(/StateMachineDoesNotExist/);
    await engine.close();
    await endpoint.close();
  });

  it('finds an execution again through a second client', async () => {
    const endpoint = await startStepFunctionsEndpoint({ definition: oneTask, handlers: { work: async () => 'x' } });
    const open = () =>
      createStepFunctionsWorkflowEngine({
        stateMachineArn: endpoint.stateMachineArn,
        endpoint: endpoint.url,
        credentials,
      });
    const [one, two] = [open(), open()];
    await one.start('shared', {});
    expect(await ended(two, 'shared')).toEqual({ name: 'shared', status: 'SUCCEEDED', output: 'x' });
    await one.close();
    await two.close();
    await endpoint.close();
  });
});
