import { form, sendMessage, type Demo } from '@lethe/testing';

/** One try to hand a message in. Every try has a recipient of its own, so that none can be taken for another's copy. */
export interface Try {
  /** Number of the message, and of the try at it, from 1. */
  readonly number: string;
  readonly to: string;
}

export interface Acknowledged extends Try {
  readonly messageId: string;
}

const DESTINATIONS = ['north', 'east', 'south', 'west', 'harbour', 'hill', 'lake', 'market'];
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1_500;

/** Hands messages in as a patient client does: what is not a 200 is tried again a while later. */
export class MailStream {
  readonly acknowledged: Acknowledged[] = [];
  /** Tries that were answered otherwise or not at all, by status or error. */
  readonly refused = new Map<string, number>();
  longestWaitMs = 0;
  readonly #gateway: string;
  readonly #demo: Demo;
  readonly #patienceMs: number;

  constructor(gateway: string, demo: Demo, patienceMs = 60_000) {
    this.#gateway = gateway;
    this.#demo = demo;
    this.#patienceMs = patienceMs;
  }

  /** Resolves once message `n` is acknowledged. */
  async send(n: number): Promise<void> {
    const begin = performance.now();
    for (let tries = 1, waitMs = FIRST_WAIT_MS; ; tries += 1, waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const number = `${n}.${tries}`;
      const to = `ok+${number}@${DESTINATIONS[n % DESTINATIONS.length]}.example`;
      const answer = await this.#try(number, to);
      if (answer.messageId !== undefined) {
        this.acknowledged.push({ number, to, messageId: answer.messageId });
        break;
      }
      this.refused.set(answer.refusal, (this.refused.get(answer.refusal) ?? 0) + 1);
      if (performance.now() - begin > this.#patienceMs) {
        throw new Error(`message ${n} was not taken within ${this.#patienceMs / 1_000} s, last: ${answer.refusal}`);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - begin);
  }

  async #try(number: string, to: string): Promise<{ messageId: string } | { messageId?: never; refusal: string }> {
    const { domain } = this.#demo;
    const fields = { from: `sender@${domain}`, to, subject: `Number ${number}`, text: bodyOf(number) };
    let response: Response;
    try {
      response = await sendMessage(this.#gateway, this.#demo, form(fields));
      const { id } = (await response.json()) as { id?: string };
      if (response.status === 200 && id !== undefined) return { messageId: id.slice(1, -1) };
    } catch {
      return { refusal: 'no answer' };
    }
    // Only what asks for another try may be met here; a 4xx would be a fault of the platform.
    if (response.status !== 503) throw new Error(`message ${number} was answered with ${response.status}`);
    return { refusal: '503' };
  }
}

export const bodyOf = (number: string): string => `This is message number ${number}.`;
