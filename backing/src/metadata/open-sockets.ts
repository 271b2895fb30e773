import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const keepAliveDelayMs = 10_000;

/**
 * The sockets under a driver's connections. Drivers say goodbye and wait for the other side; a side that is gone would keep the
 * socket, and with it the process, for many minutes.
 */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();

  /** A new socket, not connected yet. */
  make(): Socket {
    const socket = new Socket().setKeepAlive(true, keepAliveDelayMs).setNoDelay(true);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** Wait until all have closed by themselves, and cut those that have not in time. */
  async settle(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#sockets.size > 0 && performance.now() < deadline) await sleep(5);
    this.cut();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
