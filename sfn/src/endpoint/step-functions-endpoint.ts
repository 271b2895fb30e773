import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createLocalWorkflowEngine,
  type Execution,
  type TaskHandler,
  type WorkflowDefinition,
} from '@factorial/backing';
import { ExecutionLog } from './execution-log.ts';
import { type Machine, operations, type RequestBody } from './operations.ts';
import { ServiceError } from './service-error.ts';

export interface StepFunctionsEndpointOptions {
  readonly definition: WorkflowDefinition;
  /** By the `Resource` of the task states. */
  readonly handlers: Readonly<Record<string, TaskHandler>>;
  /** Default `127.0.0.1`: signatures are not checked, so whoever reaches it may use it. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Default `arn:aws:states:us-east-1:000000000000:stateMachine:factorial`. */
  readonly stateMachineArn?: string;
  /** Executions that run at once; further ones wait. Default 2. */
  readonly maxConcurrent?: number;
  /** Finished executions remembered. Default 1,000. */
  readonly maxHistory?: number;
  /** Largest request. Default 1,048,576. */
  readonly bodyMaxBytes?: number;
  /** Told of every execution that ended. */
  readonly onEnd?: (execution: Execution) => void;
}

export interface StepFunctionsEndpoint {
  /** Base URL, for a client's `endpoint`. */
  readonly url: string;
  readonly stateMachineArn: string;
  /** Stop running executions and serving. */
  close(): Promise<void>;
}

const targetPrefix = 'AWSStepFunctions.';
const contentType = 'application/x-amz-json-1.0';

/**
 * Serves one state machine over HTTP in the JSON protocol of Step Functions, so that the service's own client library is
 * what starts, describes and stops executions here too. Executions live in this process and end with it.
 */
export async function startStepFunctionsEndpoint(
  options: StepFunctionsEndpointOptions,
): Promise<StepFunctionsEndpoint> {
  const { host = '127.0.0.1', port = 0, maxHistory = 1_000, bodyMaxBytes = 1_048_576 } = options;
  const stateMachineArn = options.stateMachineArn ?? 'arn:aws:states:us-east-1:000000000000:stateMachine:factorial';
  const log = new ExecutionLog(maxHistory);
  const engine = createLocalWorkflowEngine({
    definition: options.definition,
    handlers: options.handlers,
    maxHistory,
    ...(options.maxConcurrent === undefined ? {} : { maxConcurrent: options.maxConcurrent }),
    onEvent: (name, event) => log.addEvent(name, event),
    onEnd: (execution) => {
      log.end(execution.name);
      options.onEnd?.(execution);
    },
  });
  const machine: Machine = { stateMachineArn, engine, log };
  const server = createServer((request, response) => void serve(request, response, machine, bodyMaxBytes));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    stateMachineArn,
    // Nobody is told that the executions were stopped: they are to begin anew, not to be taken for stopped by hand.
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await engine.close();
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  machine: Machine,
  bodyMaxBytes: number,
): Promise<void> {
  try {
    if (request.method === 'GET' && request.url === '/healthz') return answer(response, 200, { status: 'ok' });
    const target = String(request.headers['x-amz-target'] ?? '');
    const name = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : '';
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    const body = await readBody(request, bodyMaxBytes);
    if (operation === undefined) throw new ServiceError('UnknownOperationException', `Unknown Operation: '${target}'`);
    answer(response, 200, await operation(machine, body));
  } catch (error) {
    if (error instanceof ServiceError) answer(response, 400, { __type: error.type, message: error.message });
    else answer(response, 500, { __type: 'InternalFailure', message: (error as Error).message });
  }
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes)
      throw new ServiceError('ValidationException', `expected at most ${maxBytes} bytes of request`);
    chunks.push(chunk);
  }
  try {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as RequestBody;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ServiceError('ValidationException', 'expected a JSON object');
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': contentType, 'x-amzn-requestid': randomUUID() });
  response.end(JSON.stringify(body));
}
