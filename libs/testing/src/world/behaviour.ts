/** What an SMTP server of the world does with one recipient. */
export type Behaviour =
  | { kind: 'accept' | 'slow' | 'drop' | 'silent' }
  | { kind: 'refuse'; code: number; text: string };

const GREYLIST_MAX = 100_000;

/**
 * The word before `+` or `@` of a recipient decides: `temperror`, `greylist`, `550`, `full`, `timeout`, `drop`, `slow`;
 * any other word is accepted, so `ok` is only the one people remember. Refusals quote the address, as real servers do.
 */
export class Behaviours {
  readonly #greylistMs: number;
  readonly #firstSeen = new Map<string, number>();

  constructor(greylistMs: number) {
    this.#greylistMs = greylistMs;
  }

  of(recipient: string): Behaviour {
    switch (word(recipient)) {
      case 'temperror':
        return { kind: 'refuse', code: 451, text: `4.3.0 <${recipient}>: temporary failure, try again later` };
      case 'greylist':
        return this.#greylist(recipient);
      case '550':
        return { kind: 'refuse', code: 550, text: `5.1.1 <${recipient}>: no such mailbox` };
      case 'full':
        return { kind: 'refuse', code: 552, text: `5.2.2 <${recipient}>: mailbox is full` };
      case 'timeout':
        return { kind: 'silent' };
      case 'drop':
        return { kind: 'drop' };
      case 'slow':
        return { kind: 'slow' };
      default:
        return { kind: 'accept' };
    }
  }

  /** Refused until `greylistMs` have passed since this exact address was first tried. */
  #greylist(recipient: string): Behaviour {
    const address = recipient.toLowerCase();
    const now = Date.now();
    const first = this.#firstSeen.get(address);
    if (first !== undefined && now - first >= this.#greylistMs) return { kind: 'accept' };
    if (first === undefined) {
      const oldest = this.#firstSeen.keys().next();
      if (this.#firstSeen.size >= GREYLIST_MAX && !oldest.done) this.#firstSeen.delete(oldest.value);
      this.#firstSeen.set(address, now);
    }
    return { kind: 'refuse', code: 451, text: `4.7.1 <${recipient}>: greylisted, try again later` };
  }
}

function word(recipient: string): string {
  const local = recipient.slice(0, recipient.lastIndexOf('@'));
  return (local.split('+', 1)[0] ?? '').replaceAll('"', '').toLowerCase();
}
