import { createServer } from 'node:net';

/** Below Linux's range for outgoing connections (32,768 …), so that no client socket takes a port between check and use. */
const firstPort = 20_000;
const lastPort = 32_000;
const maxTries = 200;

/** A port of 127.0.0.1 that nobody listens on. Drawn at random, so that two runs at once hardly ever meet. */
export async function freePort(): Promise<number> {
  return await freePortRun(1);
}

/** This many different free ports, in no order. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** The first of `count` consecutive free ports. */
export async function freePortRun(count: number): Promise<number> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const first = firstPort + Math.floor(Math.random() * (lastPort - firstPort - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`expected ${count} free ports from ${firstPort} to ${lastPort}, got none in ${maxTries} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
