import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartupError } from '@lethe/service';

/** Throws StartupError if one of them is not an address of this machine: no mail could leave from it. */
export async function assertOwn(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const server = createServer();
    try {
      server.listen(0, address);
      await once(server, 'listening');
    } catch (error) {
      throw new StartupError(`IP_POOLS: ${address} is not an address of this machine`, { cause: error });
    } finally {
      server.close();
    }
  }
}
