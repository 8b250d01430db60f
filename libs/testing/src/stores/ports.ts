import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';

/**
 * Different ports, free on loopback at this moment, below the range the kernel takes outgoing ports from: a client that keeps
 * calling a killed store there would sooner or later be given the store's own port, connect to itself, and keep the store
 * from coming back.
 */
export async function freePorts<const N extends string>(...names: readonly N[]): Promise<Record<N, number>> {
  const lowest = 10_000;
  const end = firstOutgoingPort();
  const found: [N, number][] = [];
  for (const name of names) {
    let port: number;
    do {
      port = lowest + Math.floor(Math.random() * (end - lowest));
    } while (found.some(([, taken]) => taken === port) || (await problemWith(port)) !== null);
    found.push([name, port]);
  }
  return Object.fromEntries(found) as Record<N, number>;
}

/** Fails with a plain message when something already listens on `port`. */
export async function requireFree(port: number, what: string): Promise<void> {
  const problem = await problemWith(port);
  if (problem === 'EADDRINUSE') {
    throw new Error(`Port ${port} (${what}) is taken by another program. Stop it, or choose another port.`);
  }
  if (problem !== null) throw new Error(`Cannot listen on port ${port} (${what}): ${problem}`);
}

function firstOutgoingPort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/, 1)[0]);
  } catch {
    return 32_768;
  }
}

/** @returns the code of the error listening on `port` gives, or null. */
function problemWith(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)));
  });
}
