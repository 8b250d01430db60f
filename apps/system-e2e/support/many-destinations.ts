import { setTimeout as wait } from 'node:timers/promises';
import { basic, form, sendMessage, until } from '@lethe/testing';
import { Arrivals } from './arrivals.ts';
import { DESTINATIONS, domainOf, ENDING, type Kind } from './destinations.ts';
import { idIn } from './mail-stream.ts';
import { judgeMany, textOf, type ManyVerdict, type Taken } from './many-verdict.ts';
import { killAndRecover, startOwnPlatform, type OwnPlatform, type Target } from './own-platform.ts';
import { PatientClient } from './patient-client.ts';
import { drained } from './pipeline.ts';
import { SuppressionWatch } from './suppression-watch.ts';

export interface ManyOptions {
  readonly messages: number;
  /** Who gets mail again and again; every other one is suppressed in the midst of it. */
  readonly people: number;
  /** Killed one after the other, spread over the stream. */
  readonly kills: readonly Target[];
  /** Of one sender while a part comes back, so that the stream lasts until the last one is killed. */
  readonly paceMs?: number;
  readonly says?: (line: string) => void;
}

const SENDERS = 12;
const PATIENCE_MS = 180_000;
/** How many get one of the messages that are for several. */
const TOGETHER = 5;
/** Where they are who are suppressed: above all where their mail waits for another try then. */
const STOPPED: readonly Kind[] = ['greylist', 'temperror', '421', 'fine', 'greylist', 'cut', 'slow', 'mute'];

export const startManyDestinations = (suite: string): Promise<OwnPlatform> =>
  startOwnPlatform(suite, {
    world: { destinations: DESTINATIONS.map(({ domain }) => domain), slowMs: 500, greylistMs: 3_000 },
    // What a killed process had claimed comes back soon.
    settings: { RETRY_LEASE_MS: '10000' },
    worldBytes: 512 * 1024 * 1024,
  });

/** A stream of messages to 200 destinations, meanwhile kills and suppressions, and what became of all of it. */
export class ManyDestinations {
  readonly #own: OwnPlatform;
  readonly #options: ManyOptions;
  readonly #says: (line: string) => void;
  readonly #client = new PatientClient(PATIENCE_MS);
  readonly #taken: Taken[] = [];
  readonly #people: readonly string[];
  readonly #stopped: string[] = [];
  #linked = 0;
  #recovering = false;
  #sent = 0;

  constructor(own: OwnPlatform, options: ManyOptions) {
    this.#own = own;
    this.#options = options;
    this.#says = options.says ?? ((line) => console.log(line));
    this.#people = Array.from({ length: options.people }, (_, n) => `p${n}@${isStopped(n) ? stoppedAt(n / 2) : at(n)}`);
  }

  async run(): Promise<ManyVerdict> {
    const begin = new Date();
    const watch = await SuppressionWatch.start(this.#own);
    const senders = Array.from({ length: SENDERS }, async () => {
      while (this.#sent < this.#options.messages) {
        await this.#send((this.#sent += 1));
        if (this.#recovering) await wait(this.#options.paceMs ?? 0);
      }
    });
    await Promise.all([...senders, this.#kill(), this.#suppress()]);
    const [taken, seconds] = [this.#taken.length, (Date.now() - begin.getTime()) / 1_000];
    this.#says(`${taken} messages acknowledged in ${seconds.toFixed(0)} s, ${(taken / seconds).toFixed(0)}/s`);
    const drain = performance.now();
    await drained(this.#own);
    this.#says(`everything was through ${((performance.now() - drain) / 1_000).toFixed(0)} s later`);
    const arrivals = new Arrivals(this.#own.world);
    await arrivals.collect();
    const to = [...new Set(this.#taken.flatMap((one) => one.to))];
    const verdict = await judgeMany(this.#own, {
      taken: this.#taken,
      arrivals,
      begin,
      stopped: this.#stopped,
      since: await watch.finish(to),
    });
    this.#says(
      `tries repeated: ${JSON.stringify(Object.fromEntries(this.#client.refused))}, longest wait ${(this.#client.longestWaitMs / 1_000).toFixed(1)} s; ` +
        `${this.#stopped.length} suppressed, ${this.#linked} of them by their link`,
    );
    this.#says(JSON.stringify(verdict.counts));
    return verdict;
  }

  /** Message `n`: to somebody new, to several of them, or to one of the people. */
  #send(n: number): Promise<void> {
    const stranger = (k: number) => `s${n}-${k}@${at(n * TOGETHER + k)}`;
    if (n % 10 === 0)
      return this.#handIn(
        String(n),
        Array.from({ length: TOGETHER }, (_, k) => stranger(k)),
      );
    const person = this.#people[Math.floor(n / 5) % this.#people.length] ?? '';
    return this.#handIn(String(n), [n % 5 === 1 ? person : stranger(0)]);
  }

  async #handIn(number: string, to: readonly string[]): Promise<void> {
    const { platform, demo } = this.#own;
    const fields = {
      from: `sender@${demo.domain}`,
      to: [...to],
      subject: `Number ${number}`,
      text: textOf(number, '%recipient.name%'),
      'recipient-variables': JSON.stringify(Object.fromEntries(to.map((one) => [one, { name: one }]))),
      ...(to.some((one) => one.startsWith('p')) ? { 'h:List-Unsubscribe': '<%unsubscribe_url%>' } : {}),
    };
    const { text } = await this.#client.ask(`message ${number}`, () =>
      sendMessage(platform.gateway, demo, form(fields)),
    );
    this.#taken.push({ number, to, messageId: idIn(text) });
  }

  async #kill(): Promise<void> {
    const { kills, messages } = this.#options;
    for (const [n, target] of kills.entries()) {
      await this.#reached(((n + 0.7) / kills.length) * messages);
      const taken = this.#taken.length;
      this.#recovering = true;
      const recoveredMs = await killAndRecover(this.#own, target);
      this.#recovering = false;
      this.#says(
        `kill -9 ${target} after ${taken} messages: all ready ${(recoveredMs / 1_000).toFixed(1)} s later, ${this.#taken.length - taken} taken meanwhile`,
      );
    }
  }

  /** One after the other says stop, just after something was sent to them. */
  async #suppress(): Promise<void> {
    const stopping = this.#people.filter((_, n) => isStopped(n));
    for (const [n, address] of stopping.entries()) {
      await this.#reached(((n + 1) / (stopping.length + 1)) * this.#options.messages);
      await this.#handIn(`last-${n}`, [address]);
      // Some at once, some when the first try is over.
      await wait((n % 3) * 400);
      const link = n % 2 === 0 ? undefined : await this.#linkOf(address);
      await this.#client.ask('a suppression', () => (link ? oneClick(link) : this.#addBounce(address)));
      if (link) this.#linked += 1;
      this.#stopped.push(address);
    }
  }

  async #linkOf(address: string): Promise<string | undefined> {
    const url = `${this.#own.world.http}/messages?limit=1&to=${encodeURIComponent(address)}`;
    const [message] = (await (await fetch(url)).json()) as { raw: string }[];
    const raw = Buffer.from(message?.raw ?? '', 'base64').toString('latin1');
    return /^List-Unsubscribe:\s+<([^>]+)>/im.exec(raw)?.[1];
  }

  #addBounce(address: string): Promise<Response> {
    const { platform, demo } = this.#own;
    return fetch(`${platform.gateway}/v3/${demo.domain}/bounces`, {
      method: 'POST',
      headers: { authorization: basic(demo.apiKey) },
      body: new URLSearchParams({ address }),
      signal: AbortSignal.timeout(30_000),
    });
  }

  /** However long it takes: what does not go on at all ends with the patience of who sends. */
  #reached(messages: number): Promise<boolean> {
    return until(() => this.#taken.length >= messages || this.#sent >= this.#options.messages, Infinity, 20);
  }
}

const oneClick = (link: string): Promise<Response> =>
  fetch(link, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
    signal: AbortSignal.timeout(30_000),
  });

const at = (n: number): string => ENDING[n % ENDING.length]?.domain ?? '';
const isStopped = (n: number): boolean => n % 2 === 0;
const stoppedAt = (n: number): string =>
  domainOf(STOPPED[n % STOPPED.length] ?? 'fine', Math.floor(n / STOPPED.length));
