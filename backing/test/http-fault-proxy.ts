import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface ProxiedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
}

/** What to do to one request instead of passing it on unharmed. */
export type HttpFault =
  /** Answer this; the server never sees the request. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string }
  /** Reset the connection; the server never sees the request. */
  | { readonly kind: 'reset' }
  /** Flip one bit of the body on its way to the server. */
  | { readonly kind: 'corrupt' }
  /** Let the server do it, then reset the connection instead of passing the answer on. */
  | { readonly kind: 'loseAnswer' }
  /** Let the server do it, with these headers in the answer. */
  | { readonly kind: 'answerHeaders'; readonly headers: Readonly<Record<string, string>> }
  /** Flip one bit of the answer's body on its way back. */
  | { readonly kind: 'corruptAnswer' }
  /** Reset the connection after this many bytes of the answer. */
  | { readonly kind: 'cutAnswer'; readonly afterBytes: number }
  /** Let nothing of the answer's body pass beyond this many bytes, and keep the connection open. */
  | { readonly kind: 'stallAnswer'; readonly afterBytes: number };

type FaultJudge = (request: ProxiedRequest) => HttpFault | undefined | Promise<HttpFault | undefined>;

export interface HttpFaultProxy {
  readonly url: string;
  /** Every request that arrived. */
  readonly requests: ProxiedRequest[];
  /** Judges each request; undefined passes it on. Replaced by assignment. */
  fault: FaultJudge;
  close(): Promise<void>;
}

/** An HTTP proxy before a real server, which harms chosen requests. */
export async function startHttpFaultProxy(target: string): Promise<HttpFaultProxy> {
  const { hostname, port } = new URL(target);
  const proxy = { url: '', requests: [] as ProxiedRequest[], fault: (() => undefined) as FaultJudge };
  const server = createServer(async (incoming, outgoing) => {
    const proxied = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '', target),
      headers: incoming.headers,
    };
    proxy.requests.push(proxied);
    incoming.on('error', () => incoming.destroy());
    outgoing.on('error', () => outgoing.destroy());
    const fault = await proxy.fault(proxied);
    if (fault?.kind === 'reset') {
      incoming.destroy();
      return;
    }
    if (fault?.kind === 'answer') {
      incoming.resume();
      incoming.on('end', () => outgoing.writeHead(fault.status).end(fault.body));
      return;
    }
    const { method, url: path, headers } = incoming;
    const forwarded = request({ hostname, port, method, path, headers });
    forwarded.on('response', (answer) => passAnswer(answer, outgoing, fault));
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    passBody(incoming, forwarded, fault?.kind === 'corrupt');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return Object.assign(proxy, {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Flips one bit of the first chunk that it is given. */
function bitFlip(): (chunk: Buffer) => void {
  let flipped = false;
  return (chunk) => {
    if (!flipped) chunk[0] = (chunk[0] ?? 0) ^ 1;
    flipped = true;
  };
}

function passBody(from: IncomingMessage, to: ClientRequest, corrupt: boolean): void {
  const harmChunk = corrupt ? bitFlip() : () => undefined;
  from.on('data', (chunk: Buffer) => {
    harmChunk(chunk);
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.on('end', () => to.end());
}

function passAnswer(answer: IncomingMessage, outgoing: ServerResponse, fault: HttpFault | undefined): void {
  answer.on('error', () => {
    if (!fault || !('afterBytes' in fault)) outgoing.destroy();
  });
  if (fault?.kind === 'loseAnswer') {
    answer.resume();
    answer.on('end', () => outgoing.destroy());
    return;
  }
  const changed = fault?.kind === 'answerHeaders' ? fault.headers : {};
  outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...changed });
  outgoing.flushHeaders();
  let leftBytes = fault && 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
  const harmChunk = fault?.kind === 'corruptAnswer' ? bitFlip() : () => undefined;
  answer.on('data', (chunk: Buffer) => {
    harmChunk(chunk);
    outgoing.write(chunk.subarray(0, leftBytes));
    leftBytes = Math.max(0, leftBytes - chunk.byteLength);
    if (leftBytes > 0) return;
    answer.destroy();
    // Once what passed has reached the client.
    if (fault?.kind === 'cutAnswer') setTimeout(() => outgoing.destroy(), 20);
  });
  answer.on('end', () => outgoing.end());
}
