import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from '@factorial/backing';
import type { MetricsRegistry } from '@factorial/backing/metrics';

export interface HealthServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What `/metrics` tells; left out: there is none. */
  readonly metrics?: MetricsRegistry;
}

/** Answers the probes of a worker, which has no other HTTP side. */
export interface HealthServer {
  readonly url: string;
  /** From now on `/readyz` says unready: the worker is stopping. */
  drain(): void;
  close(): Promise<void>;
}

const requestTimeoutMs = 5_000;
const maxConnections = 50;

/** `GET /healthz` (the process answers), `GET /readyz` (what it needs answers too) and `GET /metrics`, in the shape of the API's. */
export async function startHealthServer(readiness: Readiness, options: HealthServerOptions): Promise<HealthServer> {
  let draining = false;
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, { status: 'GET only' });
      if (path === '/healthz') return send(response, 200, { status: 'ok' });
      if (path === '/metrics' && options.metrics !== undefined) return void sendMetrics(response, options.metrics);
      if (path !== '/readyz') return send(response, 404, { status: 'nothing here but /healthz, /readyz and /metrics' });
      void readiness.report(draining).then((report) => send(response, report.status === 'unready' ? 503 : 200, report));
    },
  );
  server.maxConnections = maxConnections;
  await listen(server, options);
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    drain() {
      draining = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** In the text format of Prometheus. */
async function sendMetrics(response: ServerResponse, metrics: MetricsRegistry): Promise<void> {
  try {
    const text = await metrics.metrics();
    response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text);
  } catch (error) {
    send(response, 500, { status: error instanceof Error ? error.name : 'Error' });
  }
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
