import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 between a client and a real server that fails on demand. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open now. */
  readonly connectionCount: number;
  /** Connections accepted so far. */
  readonly acceptedCount: number;
  /** Pass bytes on as they come (at first), those held back by `stall` included, however many a second. */
  restore(): void;
  /** From now on, pass so many bytes a second from the clients to the server, all connections together; what comes back is not slowed. */
  throttle(bytesPerSecond: number): void;
  /** Reset all open connections. New ones are accepted as before. */
  cut(): void;
  /** Half-open: connections stay open, also new ones, and nothing passes in either direction until `restore`. */
  stall(): void;
  /** The open connections fall silent for good, as when the other machine lost its power. New ones pass. */
  strand(): void;
  /** Reset all open connections and refuse new ones, as a closed port does, until `accept`. */
  refuse(): Promise<void>;
  /** Listen again on the same port after `refuse`. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Start a proxy to a port of 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const proxy = new LocalTcpProxy(targetPort);
  await proxy.accept();
  return proxy;
}

/** The URL of a server with its port replaced by that of a proxy before it. */
export function throughProxy(url: string, proxy: TcpProxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}

/** Lost time that a throttled proxy makes up for: timers are late on a busy machine. */
const burstMs = 250;

interface Link {
  isStranded: boolean;
  readonly client: Socket;
  readonly target: Socket;
}

class LocalTcpProxy implements TcpProxy {
  readonly #targetPort: number;
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #port = 0;
  #isStalled = false;
  #acceptedCount = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** When the bytes passed so far will have taken their time, by the monotonic clock. */
  #paidMs = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  get port(): number {
    return this.#port;
  }

  get connectionCount(): number {
    return this.#links.size;
  }

  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  restore(): void {
    this.#isStalled = false;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    for (const { client, target, isStranded } of this.#links) {
      if (isStranded) continue;
      client.resume();
      target.resume();
    }
  }

  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  cut(): void {
    for (const { client, target } of this.#links) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
    this.#links.clear();
  }

  stall(): void {
    this.#isStalled = true;
    for (const { client, target } of this.#links) {
      client.pause();
      target.pause();
    }
  }

  strand(): void {
    for (const link of this.#links) {
      link.isStranded = true;
      link.client.pause();
      link.target.pause();
    }
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && new Promise<void>((resolve) => server.close(() => resolve()));
    this.cut();
    await closed;
  }

  async accept(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ pauseOnConnect: true }, (client) => this.#link(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => resolve());
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error(`expected a port, got ${address}`);
    this.#port = address.port;
    this.#server = server;
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  /** Until the next bytes may pass after these. */
  #waitMs(bytes: number): number {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return 0;
    const nowMs = performance.now();
    this.#paidMs = Math.max(this.#paidMs, nowMs - burstMs) + (1000 * bytes) / this.#bytesPerSecond;
    return Math.max(0, this.#paidMs - nowMs);
  }

  #link(client: Socket): void {
    this.#acceptedCount += 1;
    const target = connect(this.#targetPort, '127.0.0.1');
    const link: Link = { client, target, isStranded: false };
    this.#links.add(link);
    const resume = (from: Socket) => void (this.#isStalled || link.isStranded || from.resume());
    relay(client, target, resume, (bytes) => this.#waitMs(bytes));
    relay(target, client, resume, () => 0);
    for (const socket of [client, target]) socket.once('close', () => this.#links.delete(link));
    if (this.#isStalled) target.pause();
    else client.resume();
  }
}

/** One direction, with back-pressure and the wait after each chunk; an end or a reset on one side becomes the same on the other. */
function relay(from: Socket, to: Socket, resume: (from: Socket) => void, waitMs: (bytes: number) => number): void {
  from.on('data', (chunk) => {
    const ms = waitMs(chunk.length);
    const isTaken = to.write(chunk);
    if (isTaken && ms === 0) return;
    from.pause();
    const later = (): void => void setTimeout(() => resume(from), ms);
    if (isTaken) later();
    else to.once('drain', later);
  });
  from.once('end', () => to.end());
  from.on('error', () => to.resetAndDestroy());
  from.once('close', () => to.destroy());
}
