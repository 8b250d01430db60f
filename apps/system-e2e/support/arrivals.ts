import type { World } from '@lethe/testing';

export interface Received {
  id: number;
  to: string[];
  receivedAt: string;
  tls: boolean;
  raw: string;
}

/** Copies of one message for one recipient, in the order in which they arrived. */
export type Copies = readonly Copy[];

export interface Copy {
  /** Says that it may be a second one. */
  readonly marked: boolean;
  readonly raw: string;
  /** Of its final dot, by the world's clock, epoch ms. */
  readonly receivedAt: number;
  readonly tls: boolean;
}

const MARK = /^X-Lethe-Delivery: maybe-duplicate\r$/m;

/** Everything that ever arrived in a world, by recipient; the world may be emptied in between. */
export class Arrivals {
  readonly #byRecipient = new Map<string, Copy[]>();
  readonly #world: World;
  #read = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Messages the world took since it began, whether read or not. */
  async count(): Promise<number> {
    const stats = (await (await fetch(`${this.#world.http}/stats`)).json()) as { messages: number };
    return stats.messages;
  }

  /** Reads what is there and empties the world; call it while nothing arrives. Throws if something was lost by that. */
  async collect(): Promise<void> {
    const messages = (await (await fetch(`${this.#world.http}/messages`)).json()) as Received[];
    await fetch(`${this.#world.http}/messages`, { method: 'DELETE' });
    for (const message of messages) {
      const raw = Buffer.from(message.raw, 'base64').toString('latin1');
      const marked = MARK.test(raw.slice(0, raw.indexOf('\r\n\r\n') + 2));
      const copy = { marked, raw, receivedAt: Date.parse(message.receivedAt), tls: message.tls };
      for (const to of message.to) this.#byRecipient.set(to, [...(this.#byRecipient.get(to) ?? []), copy]);
    }
    this.#read += messages.length;
    const count = await this.count();
    if (count !== this.#read) throw new Error(`${count} messages arrived, but ${this.#read} were read`);
  }

  /** Recipients with at least one copy that begin with `prefix`. */
  recipients(prefix = ''): string[] {
    return [...this.#byRecipient.keys()].filter((to) => to.startsWith(prefix));
  }

  copies(to: string): Copies {
    return this.#byRecipient.get(to) ?? [];
  }
}

/** What a crash may leave: a copy of the same message (by Message-ID) after its first one, and whether it says so. */
export function duplicates(arrivals: Arrivals): { marked: number; unmarked: string[] } {
  let marked = 0;
  const unmarked: string[] = [];
  for (const to of arrivals.recipients()) {
    for (const copies of Map.groupBy(arrivals.copies(to), messageIdOf).values()) {
      for (const later of copies.slice(1)) {
        if (later.marked) marked += 1;
        else
          unmarked.push(
            `${to}: ${copies.map(({ marked: says, receivedAt }) => `${new Date(receivedAt).toISOString()}${says ? ' marked' : ''}`).join(', ')}`,
          );
      }
    }
  }
  return { marked, unmarked };
}

/** Without its brackets. */
export function messageIdOf({ raw }: Copy): string {
  const [, id] = /^Message-ID:\s*<([^>]+)>/im.exec(raw.slice(0, raw.indexOf('\r\n\r\n'))) ?? [];
  if (id === undefined) throw new Error('a message arrived without a Message-ID');
  return id;
}
