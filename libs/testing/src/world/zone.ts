import type { Answer, Question } from 'dns-packet';

/** Response codes of RFC 1035 4.1.1 that the world gives. */
export const RCODE = { ok: 0, servfail: 2, nxdomain: 3, refused: 5 } as const;

export interface ZoneAnswer {
  rcode: number;
  answers: Answer[];
  /** All of it, or that there is nothing, is signed: what a resolver that validates DNSSEC says to who asks (AD). */
  secure: boolean;
}

/** In place of records: there is no answer, as where signatures are forged. */
const FAILS = 'SERVFAIL';
const MAX_ALIASES = 8;

/** Record types a test may register; any other is refused by name. */
export const REGISTRABLE = ['A', 'AAAA', 'CNAME', 'MX', 'TLSA', 'TXT'] as const;
export type RegistrableType = (typeof REGISTRABLE)[number];

const TTL_SECONDS = 1;
const MAX_REGISTERED = 10_000;
const MAX_TXT_BYTES = 8192;

/**
 * Top-level names no real mail can have (RFC 2606, RFC 6761), so that answering for them leads nobody astray;
 * everything else does not exist here, which keeps every delivery on loopback.
 */
const RESERVED = ['example', 'test', 'example.com', 'example.net', 'example.org'];

/**
 * The names of the world. What a test registered wins (`SERVFAIL` in place of a value: there is no answer); for the rest a label of the name decides:
 * `nxdomain` does not exist, `servfail` fails, `nullmx` accepts no mail (RFC 7505), `nomx` has only an
 * address (RFC 5321 5.1: implicit MX); any other name under a reserved domain has `mx.<domain>` as exchanger.
 */
export class Zone {
  readonly #domain: string;
  readonly #registered = new Map<string, string[]>();
  readonly #signed = new Set<string>();

  constructor(domain: string) {
    this.#domain = canonical(domain);
  }

  /** Replaces the records of one name and type. Throws a RangeError with the reason if they cannot be kept. */
  register(name: string, type: string, values: string[]): void {
    const key = `${canonical(name)} ${type.toUpperCase()}`;
    if (!(REGISTRABLE as readonly string[]).includes(type.toUpperCase())) {
      throw new RangeError(`type must be one of ${REGISTRABLE.join(', ')}`);
    }
    if (values.some((value) => Buffer.byteLength(value) > MAX_TXT_BYTES)) {
      throw new RangeError(`a value has at most ${MAX_TXT_BYTES} bytes`);
    }
    if (this.#registered.size >= MAX_REGISTERED && !this.#registered.has(key)) {
      throw new RangeError(`at most ${MAX_REGISTERED} names can be registered`);
    }
    this.#registered.set(key, values);
  }

  /** Signs a domain and what is below it, or takes that back. */
  sign(name: string, signed: boolean): void {
    if (signed && this.#signed.size >= MAX_REGISTERED) throw new RangeError(`at most ${MAX_REGISTERED} can be signed`);
    if (signed) this.#signed.add(canonical(name));
    else this.#signed.delete(canonical(name));
  }

  /** Follows aliases, as a resolver does. */
  answer(question: Question): ZoneAnswer {
    const whole: ZoneAnswer = { rcode: RCODE.ok, answers: [], secure: true };
    let { name } = question;
    for (let left = MAX_ALIASES; left > 0; left--) {
      const { rcode, answers } = this.#direct({ ...question, name });
      whole.rcode = rcode;
      whole.answers.push(...answers);
      whole.secure &&= this.#isSigned(name);
      const [alias] = answers;
      if (question.type === 'CNAME' || alias?.type !== 'CNAME') break;
      name = alias.data;
    }
    return whole;
  }

  #isSigned(name: string): boolean {
    const labels = canonical(name).split('.');
    return labels.some((_, at) => this.#signed.has(labels.slice(at).join('.')));
  }

  #direct(question: Question): Omit<ZoneAnswer, 'secure'> {
    const name = canonical(question.name);
    const own = this.#own(name, question);
    if (own?.fails) return { rcode: RCODE.servfail, answers: [] };
    if (own !== undefined) return { rcode: RCODE.ok, answers: own.answers };
    const labels = name.split('.');
    const known = this.#isKnown(name);
    if (labels.includes('servfail')) return { rcode: RCODE.servfail, answers: [] };
    // Service names (`_dmarc`, `selector._domainkey`, `_25._tcp`) exist only where they were registered.
    if (!known || labels.includes('nxdomain') || name.startsWith('_') || name.includes('._')) {
      return { rcode: RCODE.nxdomain, answers: [] };
    }
    return { rcode: RCODE.ok, answers: this.#standard(name, labels, question) };
  }

  #own(name: string, question: Question): { answers: Answer[]; fails?: boolean } | undefined {
    const type = this.#registered.has(`${name} ${question.type}`) ? question.type : 'CNAME';
    const values = this.#registered.get(`${name} ${type}`);
    if (values !== undefined) {
      const fails = values.includes(FAILS);
      return { answers: fails ? [] : values.map((value) => record(question.name, type, value)), fails };
    }
    const exists = REGISTRABLE.some((other) => this.#registered.has(`${name} ${other}`));
    return exists && !this.#isKnown(name) ? { answers: [] } : undefined;
  }

  #isKnown(name: string): boolean {
    return [this.#domain, ...RESERVED].some((root) => name === root || name.endsWith(`.${root}`));
  }

  #standard(name: string, labels: string[], question: Question): Answer[] {
    const exchanger = `mx.${this.#domain}`;
    if (question.type === 'A') {
      return labels.includes('nullmx') ? [] : [record(question.name, 'A', '127.0.0.1')];
    }
    if (question.type !== 'MX' || name === exchanger || labels.includes('nomx')) return [];
    return [record(question.name, 'MX', labels.includes('nullmx') ? '0 .' : `10 ${exchanger}`)];
  }
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function record(name: string, type: string, value: string): Answer {
  // One of the union's members, by its type.
  return { name, type, ttl: TTL_SECONDS, class: 'IN', data: data(type, value) } as Answer;
}

function data(type: string, value: string): unknown {
  if (type === 'MX') {
    const space = value.indexOf(' ');
    const preference = Number(value.slice(0, Math.max(space, 0))) || 0;
    return { preference, exchange: value.slice(space + 1) };
  }
  if (type === 'TLSA') {
    const [usage, selector, matchingType, hex = ''] = value.split(' ');
    const numbers = { usage: Number(usage), selector: Number(selector), matchingType: Number(matchingType) };
    return { ...numbers, certificate: Buffer.from(hex, 'hex') };
  }
  return type === 'TXT' ? characterStrings(value) : value;
}

/** RFC 1035 3.3.14: a TXT record is a list of strings of at most 255 bytes; readers join them. */
function characterStrings(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += 255) {
    strings.push(bytes.subarray(at, at + 255));
  }
  return strings;
}
