import { domainToASCII } from 'node:url';

export interface ReceivedMessage {
  id: number;
  /** Envelope sender, empty for the null sender of RFC 5321 4.5.5. */
  from: string;
  /** Envelope recipients that were accepted, in order. */
  to: string[];
  /** Arrival of the final dot, RFC 3339 with milliseconds. */
  receivedAt: string;
  tls: boolean;
  raw: Buffer;
}

interface Kept {
  message: ReceivedMessage;
  keys: string[];
}

/** What the world received, oldest dropped first once `maxMessages` or `maxBytes` is exceeded. */
export class Mailbox {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #kept: (Kept | undefined)[] = [];
  #oldest = 0;
  #bytes = 0;
  #lastId = 0;
  dropped = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#kept.length - this.#oldest;
  }

  add(message: Omit<ReceivedMessage, 'id'>): void {
    this.#kept.push({ message: { ...message, id: ++this.#lastId }, keys: message.to.map(addressKey) });
    this.#bytes += message.raw.length;
    while (this.size > 1 && (this.size > this.#maxMessages || this.#bytes > this.#maxBytes)) this.#dropOldest();
  }

  /** Oldest first; only those to `to` if given (case does not matter, A- and U-labels are the same domain). */
  *select(to?: string, limit = Infinity): Generator<ReceivedMessage> {
    const key = to === undefined ? undefined : addressKey(to);
    let left = limit;
    for (let at = this.#oldest; at < this.#kept.length && left > 0; at++) {
      const kept = this.#kept[at];
      if (kept === undefined || (key !== undefined && !kept.keys.includes(key))) continue;
      left--;
      yield kept.message;
    }
  }

  newest(limit: number): ReceivedMessage[] {
    const from = Math.max(this.#oldest, this.#kept.length - limit);
    return this.#kept
      .slice(from)
      .flatMap((kept) => kept?.message ?? [])
      .reverse();
  }

  get(id: number): ReceivedMessage | undefined {
    return this.#kept.slice(this.#oldest).find((kept) => kept?.message.id === id)?.message;
  }

  clear(): void {
    this.#kept = [];
    this.#oldest = 0;
    this.#bytes = 0;
  }

  /** Compacts only once half of the list is dropped, so that dropping stays cheap at any rate. */
  #dropOldest(): void {
    this.#bytes -= this.#kept[this.#oldest]?.message.raw.length ?? 0;
    this.#kept[this.#oldest++] = undefined;
    this.dropped++;
    if (this.#oldest * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#oldest);
      this.#oldest = 0;
    }
  }
}

function addressKey(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return `${address.slice(0, at + 1)}${domainToASCII(domain) || domain}`.toLowerCase();
}
