import type { Socket } from 'node:net';
import { networkOf } from '@lethe/service';

/**
 * Connections of clients that have not signed in, counted by network: whoever opens as many as there may be, and says nothing, keeps
 * nobody else out. Addresses are not kept beyond their connection.
 */
export class Strangers {
  private readonly counts = new Map<string, number>();
  private readonly networks = new WeakMap<object, string>();

  constructor(private readonly most: number) {}

  /** False: its network has too many already. It is forgotten when it closes. */
  enter(socket: Socket): boolean {
    const network = networkOf(socket.remoteAddress ?? '');
    const count = this.counts.get(network) ?? 0;
    if (count >= this.most) return false;
    this.counts.set(network, count + 1);
    this.networks.set(socket, network);
    socket.once('close', () => this.leave(socket));
    return true;
  }

  /** It has signed in, or is gone. */
  leave(socket: Socket): void {
    const network = this.networks.get(socket);
    if (network === undefined) return;
    this.networks.delete(socket);
    const count = (this.counts.get(network) ?? 1) - 1;
    if (count === 0) this.counts.delete(network);
    else this.counts.set(network, count);
  }
}
