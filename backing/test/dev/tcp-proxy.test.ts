import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../dev/ports.ts';
import { startTcpProxy, type TcpProxy } from '../../dev/tcp-proxy.ts';

/** A server that echoes. */
async function startEcho(): Promise<{ readonly port: number; close(): void }> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  return { port, close: () => void server.close() };
}

const opened = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });

const firstData = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(String(data)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });

describe('the TCP proxy', () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let proxy: TcpProxy;

  beforeEach(async () => {
    echo = await startEcho();
    proxy = await startTcpProxy(echo.port);
  });

  afterEach(async () => {
    await proxy.close();
    echo.close();
  });

  test('passes megabytes through a stall unharmed', async () => {
    const socket = await opened(proxy.port);
    const sent = randomBytes(8 * 2 ** 20);
    const hash = createHash('sha256');
    let received = 0;
    const done = new Promise<void>((resolve) => {
      socket.on('data', (data) => {
        hash.update(data);
        received += data.length;
        if (received === sent.length) resolve();
      });
    });
    socket.write(sent.subarray(0, 2 ** 22));
    proxy.stall();
    await sleep(100);
    const during = received;
    await sleep(100);
    expect(received - during).toBeLessThan(2 ** 20);
    expect(received).toBeLessThan(2 ** 22);
    socket.write(sent.subarray(2 ** 22));
    proxy.restore();
    await done;
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    socket.destroy();
  });

  test('stalled, it accepts new connections and answers nothing until it is restored', async () => {
    proxy.stall();
    const socket = await opened(proxy.port);
    socket.write('hello');
    const answer = firstData(socket);
    expect(await Promise.race([answer, sleep(150).then(() => 'nothing')])).toBe('nothing');
    proxy.restore();
    expect(await answer).toBe('hello');
    socket.destroy();
  });

  test('stranded, open connections are silent for good, and new ones pass', async () => {
    const socket = await opened(proxy.port);
    socket.write('a');
    await firstData(socket);
    proxy.strand();
    proxy.restore();
    socket.write('b');
    expect(await Promise.race([firstData(socket), sleep(150).then(() => 'nothing')])).toBe('nothing');
    const next = await opened(proxy.port);
    next.write('c');
    expect(await firstData(next)).toBe('c');
    next.destroy();
    socket.destroy();
  });

  test('cut, it resets what is open and accepts what comes', async () => {
    const socket = await opened(proxy.port);
    socket.write('a');
    await firstData(socket);
    const lost = firstData(socket);
    proxy.cut();
    await expect(lost).rejects.toThrow();
    expect(proxy.connectionCount).toBe(0);
    const next = await opened(proxy.port);
    next.write('b');
    expect(await firstData(next)).toBe('b');
    next.destroy();
    expect(proxy.acceptedCount).toBe(2);
  });

  test('refusing, it lets nobody in, and later listens on the same port again', async () => {
    const { port } = proxy;
    await proxy.refuse();
    await expect(opened(port)).rejects.toThrow('ECONNREFUSED');
    await proxy.accept();
    expect(proxy.port).toBe(port);
    (await opened(port)).destroy();
  });
});
