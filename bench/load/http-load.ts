import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly url: string;
  /** Keep-alive connections, each with one request under way at a time. */
  readonly connections: number;
  readonly seconds: number;
}

/** What a server gets to answer beyond the asked time, before its connections are cut and count as errors. */
const graceMs = 10_000;
const connectTimeoutMs = 10_000;

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  /** Answers that were not 200, and connections that broke. */
  readonly errors: number;
}

/**
 * As many GETs of one URL as the server answers within the time, in a closed loop over raw sockets: the same few lines of client for
 * every server that is compared. Each answer must be a 200 with a `content-length`.
 */
export async function loadHttp(options: LoadOptions): Promise<LoadResult> {
  const { hostname, port, pathname, search, host } = new URL(options.url);
  const request = `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  const latenciesMs: number[] = [];
  let errors = 0;
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, () => openSocket(Number(port), hostname)),
  );
  const startedMs = performance.now();
  const endMs = startedMs + options.seconds * 1000;
  const cut = setTimeout(() => sockets.map((socket) => socket.destroy()), options.seconds * 1000 + graceMs);
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = new AnswerReader(socket);
      while (performance.now() < endMs) {
        const sentMs = performance.now();
        socket.write(request);
        const status = await answers.next();
        if (status === 200) latenciesMs.push(performance.now() - sentMs);
        else errors += 1;
        if (status === undefined) break;
      }
      socket.destroy();
    }),
  );
  clearTimeout(cut);
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  latenciesMs.sort((a, b) => a - b);
  return {
    requestsPerSecond: latenciesMs.length / elapsedSeconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    requests: latenciesMs.length,
    errors,
  };
}

function openSocket(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
    socket.setTimeout(connectTimeoutMs, () =>
      socket.destroy(new Error(`expected a connection to port ${port}, got none`)),
    );
    socket.once('connect', () => socket.setTimeout(0));
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Reads one answer after the other off a socket: its status, or undefined when the connection is over. */
class AnswerReader {
  readonly #socket: Socket;
  #buffered = Buffer.alloc(0);
  #waiting: ((status: number | undefined) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
      this.#deliver();
    });
    const end = (): void => {
      this.#waiting?.(undefined);
      this.#waiting = undefined;
    };
    socket.on('error', end);
    socket.on('close', end);
  }

  next(): Promise<number | undefined> {
    if (this.#socket.destroyed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const headEnd = this.#buffered.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#buffered.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? Number.NaN);
    const whole = headEnd + 4 + length;
    if (Number.isNaN(length)) throw new Error(`expected an answer with a content-length, got ${head}`);
    if (this.#buffered.length < whole) return;
    this.#buffered = this.#buffered.subarray(whole);
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve(Number(head.slice(9, 12)));
  }
}
