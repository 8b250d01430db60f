/** What an SMTP server of the world does with one recipient. */
export type Behaviour =
  | { kind: 'accept' | 'slow' | 'drop' | 'mute' | 'silent' }
  | { kind: 'refuse'; code: number; text: string };

const ADDRESSES_MAX = 100_000;
const WORDS = ['temperror', 'greylist', '550', 'full', 'timeout', 'drop', 'slow', 'pushback', '421', 'cut', 'mute'];

/**
 * The word before `+` or `@` of a recipient decides: `temperror`, `greylist`, `550`, `full`, `timeout`, `drop`, `slow`, `pushback` (421
 * 4.7.0), and at every other try at an address, beginning with the first, `421`, `cut` (as `drop`) and `mute` (keeps the message and closes
 * without a word). Any other word leaves it to the labels of the domain, among which the same words count
 * (`anyone@d7.greylist.example`), and else is accepted, so `ok` is only the one people remember. Refusals quote the address, as real servers do.
 */
export class Behaviours {
  readonly #greylistMs: number;
  readonly #firstSeen = new Map<string, number>();
  /** Addresses whose last try was failed on purpose. */
  readonly #failed = new Map<string, true>();

  constructor(greylistMs: number) {
    this.#greylistMs = greylistMs;
  }

  of(recipient: string): Behaviour {
    switch (wordOf(recipient)) {
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
      case 'pushback':
        return { kind: 'refuse', code: 421, text: `4.7.0 <${recipient}>: too much at once, try again later` };
      case '421':
        return this.#everyOther(recipient, {
          kind: 'refuse',
          code: 421,
          text: `4.3.2 <${recipient}>: too busy, closing`,
        });
      case 'cut':
        return this.#everyOther(recipient, { kind: 'drop' });
      case 'mute':
        return this.#everyOther(recipient, { kind: 'mute' });
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
    if (first === undefined) note(this.#firstSeen, address, now);
    return { kind: 'refuse', code: 451, text: `4.7.1 <${recipient}>: greylisted, try again later` };
  }

  #everyOther(recipient: string, failing: Behaviour): Behaviour {
    const address = recipient.toLowerCase();
    if (this.#failed.delete(address)) return { kind: 'accept' };
    note(this.#failed, address, true);
    return failing;
  }
}

/** The oldest is forgotten when there are too many. */
function note<V>(addresses: Map<string, V>, address: string, value: V): void {
  const oldest = addresses.keys().next();
  if (addresses.size >= ADDRESSES_MAX && !oldest.done) addresses.delete(oldest.value);
  addresses.set(address, value);
}

function wordOf(recipient: string): string | undefined {
  const at = recipient.lastIndexOf('@');
  const local = (recipient.slice(0, at).split('+', 1)[0] ?? '').replaceAll('"', '');
  const labels = recipient.slice(at + 1).split('.');
  return [local, ...labels].map((word) => word.toLowerCase()).find((word) => WORDS.includes(word));
}
