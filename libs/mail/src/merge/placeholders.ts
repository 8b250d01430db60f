/** Whom a copy of a message is for (mailgun-api §2, `recipient-variables`). */
export interface MergeRecipient {
  readonly address: string;
  readonly name?: string | undefined;
  /** Values by key, as JSON has them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where they unsubscribe; absent: such placeholders stay as they stand. */
  readonly unsubscribeUrl?: string;
}

const LINK = /%(?:tag_|mailing_list_)?unsubscribe_url%/g;

/** How often a link stands in a text. */
export const linksIn = (text: string): number => text.match(LINK)?.length ?? 0;

/** `%unsubscribe_url%`, and Mailgun's two others, which lead to the same here. */
export const fillInLinks = (text: string, url: string): string => text.replace(LINK, () => url);

const PLACEHOLDER = /%recipient(?:\.([^%\s]{1,128})|_(email|name|fname|lname))?%/g;

/**
 * Replaces `%recipient%`, `%recipient.key%` and the names of mailing lists (`%recipient_email%`, `_name`, `_fname`, `_lname`) once: what is
 * filled in is not looked through again. A key the recipient has no value for stays as it stands, so that the mistake is seen; so does
 * one whose value is not of the form `only`.
 */
export function fillIn(text: string, recipient: MergeRecipient, only?: RegExp): string {
  if (!text.includes('%recipient')) return text;
  return text.replace(PLACEHOLDER, (found, key?: string, part?: string) => {
    const value = valueOf({ key, part }, recipient);
    return value === undefined || (only && !only.test(value)) ? found : value;
  });
}

/** The same in every string of a JSON value; keys stay as they are. */
export function fillInJson(value: unknown, recipient: MergeRecipient): unknown {
  if (typeof value === 'string') return fillIn(value, recipient);
  if (Array.isArray(value)) return value.map((one) => fillInJson(one, recipient));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillInJson(one, recipient)]));
}

/** How often each placeholder stands in some texts, so that what a recipient's values add is known without writing it. */
export class PlaceholderCount {
  readonly #counts = new Map<string, Placeholder & { count: number }>();

  add(text: string): void {
    for (const [found, key, part] of text.matchAll(PLACEHOLDER)) {
      const { count = 0 } = this.#counts.get(found) ?? {};
      this.#counts.set(found, { key, part, count: count + 1 });
    }
  }

  /** Octets of UTF-8 that are added at most. */
  growth(recipient: MergeRecipient): number {
    let octets = 0;
    for (const [found, { count, ...placeholder }] of this.#counts) {
      octets += count * Math.max(Buffer.byteLength(valueOf(placeholder, recipient) ?? found) - found.length, 0);
    }
    return octets;
  }
}

/** What a match of `PLACEHOLDER` captures; with neither it is the address. */
interface Placeholder {
  readonly key: string | undefined;
  readonly part: string | undefined;
}

function valueOf({ key, part }: Placeholder, { address, name = '', variables }: MergeRecipient): string | undefined {
  if (key !== undefined) return Object.hasOwn(variables, key) ? textOf(variables[key]) : undefined;
  const [first = '', ...last] = name.trim().split(/\s+/);
  switch (part) {
    case 'name':
      return name;
    case 'fname':
      return first;
    case 'lname':
      return last.join(' ');
    default:
      return address;
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
