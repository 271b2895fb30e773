import { connect } from 'node:net';

/** Resolves when somebody accepts connections on the port of 127.0.0.1. */
export function probeTcp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`port ${port} did not answer within 1,000 ms`)));
    socket.once('error', reject);
  });
}
