import { form, sendMessage, type Demo } from '@lethe/testing';
import { PatientClient } from './patient-client.ts';

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

/** Hands messages in as a patient client does. */
export class MailStream {
  readonly acknowledged: Acknowledged[] = [];
  readonly #client: PatientClient;
  readonly #gateway: string;
  readonly #demo: Demo;

  constructor(gateway: string, demo: Demo, patienceMs?: number) {
    this.#gateway = gateway;
    this.#demo = demo;
    this.#client = new PatientClient(patienceMs);
  }

  /** Tries that were answered otherwise or not at all, by status or error. */
  get refused(): ReadonlyMap<string, number> {
    return this.#client.refused;
  }

  get longestWaitMs(): number {
    return this.#client.longestWaitMs;
  }

  /** Resolves once message `n` is acknowledged. */
  async send(n: number): Promise<void> {
    const one = (tries: number): Try => {
      const number = `${n}.${tries}`;
      return { number, to: `ok+${number}@${DESTINATIONS[n % DESTINATIONS.length]}.example` };
    };
    const { text, tries } = await this.#client.ask(`message ${n}`, (now) => {
      const { number, to } = one(now);
      const from = `sender@${this.#demo.domain}`;
      return sendMessage(
        this.#gateway,
        this.#demo,
        form({ from, to, subject: `Number ${number}`, text: bodyOf(number) }),
      );
    });
    this.acknowledged.push({ ...one(tries), messageId: idIn(text) });
  }
}

export const bodyOf = (number: string): string => `This is message number ${number}.`;

/** The Message-ID, without its brackets, in the answer to a message that was taken. */
export const idIn = (answer: string): string => (JSON.parse(answer) as { id: string }).id.slice(1, -1);
