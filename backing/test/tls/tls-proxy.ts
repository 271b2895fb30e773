import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';

export interface TlsProxy extends AsyncDisposable {
  /** The target's URL with this proxy's port and another scheme. */
  urlOf(target: string, scheme: string): string;
}

/** Ends TLS before a server of 127.0.0.1 that has none, for protocols that begin with it. */
export async function startTlsProxy(
  targetPort: number,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
): Promise<TlsProxy> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
    sockets.add(socket);
    const target = connect(targetPort, '127.0.0.1');
    socket.on('error', () => target.destroy());
    target.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket) && target.destroy());
    target.once('close', () => socket.end());
    socket.pipe(target).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf(target, scheme) {
      const { host } = new URL(target);
      return target.replace(/^[a-z]+:/, `${scheme}:`).replace(host, `127.0.0.1:${port}`);
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
