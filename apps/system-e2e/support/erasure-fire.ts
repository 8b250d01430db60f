import { form, sendMessage, until } from '@lethe/testing';
import type { Arrivals } from './arrivals.ts';
import { Erasures, type Erasure } from './erasure-api.ts';
import { bodyOf, type MailStream } from './mail-stream.ts';
import type { OwnPlatform } from './own-platform.ts';

const EVERY_MS = 100;
/** Served at once, slowly, and only at the second try: in every state that a message can be in when the fence comes. */
const WAYS = ['ok', 'slow', 'greylist'];
const DESTINATIONS = ['north', 'east', 'south', 'west'];
/** How long after the fence a final dot may still come (goals.md: mail after stop). */
const GRACE_MS = 1_000;

interface Try {
  readonly number: string;
  readonly to: string;
  readonly begin: number;
  readonly end: number;
  readonly acknowledged: boolean;
}

/** Somebody who is written to the whole time, before and after they are erased. */
export class DoomedPerson {
  readonly #own: OwnPlatform;
  readonly #name: string;
  readonly #tries: Try[] = [];
  #sending: Promise<void> | undefined;
  #stopped = false;
  erasure: Erasure | undefined;

  constructor(own: OwnPlatform, name: string) {
    this.#own = own;
    this.#name = name;
  }

  get addresses(): string[] {
    return WAYS.flatMap((way) => DESTINATIONS.map((place) => `${way}+${this.#name}@${place}.example`));
  }

  start(): void {
    this.#sending = this.#send();
  }

  /** Resolves once there is mail to each of the addresses, on its way or arrived. */
  async writtenTo(): Promise<void> {
    const acknowledged = () => this.#tries.filter((one) => one.acknowledged).length;
    if (await until(() => acknowledged() >= this.addresses.length, 120_000, 50)) return;
    throw new Error(`only ${acknowledged()} messages to ${this.#name} were accepted in two minutes`);
  }

  /** Orders the erasure as a patient client; resolves with the order, whose fence may still be to come. */
  async order(erasures: Erasures): Promise<Erasure> {
    const [address = '', ...aliases] = this.addresses;
    this.erasure = await erasures.orderUnderFire({ subjects: [{ address, aliases }] }, `fire-${this.#name}`, 180_000);
    return this.erasure;
  }

  /** Writes on until the fence is known and a moment has passed. */
  async fenced(erasures: Erasures): Promise<void> {
    const known = async (): Promise<boolean> => {
      this.erasure = await erasures.show(this.erasure?.id ?? '');
      return this.erasure.cut_off !== null;
    };
    if (!(await until(known, 180_000, 200))) throw new Error(`no fence: ${JSON.stringify(this.erasure)}`);
    await new Promise((resolve) => setTimeout(resolve, 2 * GRACE_MS));
    this.#stopped = true;
    await this.#sending;
  }

  /** What was not as it should be: mail of before the fence that came after it, and mail of after it that never came. */
  judge(arrivals: Arrivals): { late: string[]; missing: string[]; before: number; after: number } {
    const cutOff = Date.parse(this.erasure?.cut_off ?? '');
    const received = ({ to, number }: Try) => arrivals.copies(to).filter(({ raw }) => raw.includes(bodyOf(number)));
    const before = this.#tries.filter(({ end }) => end < cutOff);
    // Whoever was written to later is somebody new; in the second after the fence it may be either.
    const after = this.#tries.filter(({ begin, acknowledged }) => acknowledged && begin > cutOff + GRACE_MS);
    const late = before.flatMap((one) =>
      received(one)
        .filter(({ receivedAt }) => receivedAt > cutOff + GRACE_MS)
        .map(({ receivedAt }) => `${one.number}, ${receivedAt - cutOff} ms after the fence`),
    );
    const missing = after.filter((one) => received(one).length === 0).map(({ number }) => number);
    return { late, missing, before: before.length, after: after.length };
  }

  async #send(): Promise<void> {
    const { platform, demo } = this.#own;
    for (let n = 1; !this.#stopped; n += 1) {
      const [number, to] = [`${this.#name}.${n}`, this.addresses[n % this.addresses.length] ?? ''];
      const fields = { from: `ann@${demo.domain}`, to, subject: `Number ${number}`, text: bodyOf(number) };
      const begin = Date.now();
      const acknowledged = await sendMessage(platform.gateway, demo, form(fields))
        .then(async (response) => (await response.text()) !== '' && response.status === 200)
        .catch(() => false);
      this.#tries.push({ number, to, begin, end: Date.now(), acknowledged });
      await new Promise((resolve) => setTimeout(resolve, acknowledged ? EVERY_MS : 5 * EVERY_MS));
    }
  }
}

/** Mail to everyone else at a steady rate, as far as the machine takes it. */
export class SteadyStream {
  readonly stream: MailStream;
  /** May be changed while it flows: on a machine of two cores nothing comes back beside a full stream. */
  perSecond: number;
  readonly #senders: Promise<void>[];
  #next = performance.now();
  #stopped = false;
  #sent = 0;
  readonly #begin = performance.now();

  constructor(stream: MailStream, perSecond: number, senders = 24) {
    this.stream = stream;
    this.perSecond = perSecond;
    this.#senders = Array.from({ length: senders }, () => this.#send());
    // Who stops the stream hears of it.
    for (const sender of this.#senders) sender.catch(() => undefined);
  }

  /** @returns messages acknowledged a second. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await Promise.all(this.#senders);
    return (this.stream.acknowledged.length * 1_000) / (performance.now() - this.#begin);
  }

  async #send(): Promise<void> {
    while (!this.#stopped) {
      // What a kill held up is not made up for in a burst.
      this.#next = Math.max(performance.now(), this.#next + 1_000 / this.perSecond);
      await new Promise((resolve) => setTimeout(resolve, this.#next - performance.now()));
      await this.stream.send((this.#sent += 1));
    }
  }
}
