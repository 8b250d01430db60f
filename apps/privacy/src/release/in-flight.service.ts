import { randomUUIDv7 } from 'node:crypto';
import { MAX_MESSAGE_IDS, PRIVACY_COMMANDS, type PrivacyCommand, type PrivacyReply } from '@lethe/contracts';
import { Publisher } from '@lethe/kafka';
import { Clock, CONFIG } from '@lethe/service';
import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { PrivacyConfig } from '../config.ts';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import { patience } from '../requests/holders/patience.ts';
import { InFlightRepository, type InFlightQuestion } from './in-flight.repository.ts';

/** What delivery said of the messages it was asked about. */
export interface Release {
  /** Nobody is sent them any more: their keys can go. */
  readonly free: readonly DoomedKey[];
  /** Others still wait for them. */
  readonly waiting: readonly DoomedKey[];
}

/**
 * Asks delivery which messages are still being sent. Questions and answers are rows: whichever replica hears the answer, and
 * whenever it was killed, the next look goes on from there.
 */
@Injectable()
export class InFlightService {
  constructor(
    private readonly questions: InFlightRepository,
    private readonly publisher: Publisher,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  /**
   * The whole answer to `asker`, or undefined as long as something of it is missing: call again. The first call asks about
   * `keys`. The answer stays until `forget`.
   */
  async answer(asker: string, keys: () => Promise<readonly DoomedKey[]>): Promise<Release | undefined> {
    let open = await this.questions.of(asker);
    if (open.length === 0) {
      const about = await keys();
      if (about.length === 0) return { free: [], waiting: [] };
      open = await this.questions.insert(asker, chunks(about), new Date(this.clock.now()));
    }
    const missing = open.filter(({ inFlight }) => inFlight === null);
    if (missing.length === 0) {
      const inFlight = new Set(open.flatMap((question) => question.inFlight ?? []));
      const asked = open.flatMap((question) => question.keys);
      return {
        free: asked.filter(({ messageId }) => !inFlight.has(messageId)),
        waiting: asked.filter(({ messageId }) => inFlight.has(messageId)),
      };
    }
    await this.ask(missing.filter(({ askAgainAt }) => askAgainAt.getTime() <= this.clock.now()));
    return undefined;
  }

  forget(client: PoolClient, asker: string): Promise<void> {
    return this.questions.remove(client, asker);
  }

  /** Questions that were never answered; who needs the answer asks anew. */
  expire(): Promise<void> {
    return this.questions.expire();
  }

  /** False: nobody asked that. */
  async receive(reply: Extract<PrivacyReply, { step: 'in-flight' }>): Promise<boolean> {
    if (reply.service !== 'delivery') return false;
    return this.questions.receive(reply.requestId, reply.attempt, reply.messages);
  }

  /** Delivery could not say: asked again when its time comes. */
  failed(id: string): Promise<boolean> {
    return this.questions.exists(id);
  }

  private async ask(due: readonly InFlightQuestion[]): Promise<void> {
    if (due.length === 0) return;
    const records = await Promise.all(
      due.map(async ({ id, attempts, keys }) => {
        const attempt = attempts + 1;
        const wait = patience(attempt, this.config.HOLDER_PATIENCE_MS);
        await this.questions.asked(id, attempt, new Date(this.clock.now() + wait));
        const at = this.clock.now();
        const messages = keys.map(({ messageId }) => messageId);
        const value: PrivacyCommand = { requestId: id, attempt, at, step: 'in-flight', messages };
        return { key: id, value, id: `${id}/in-flight/${attempt}`, type: 'privacy.in-flight' };
      }),
    );
    await this.publisher.publish(PRIVACY_COMMANDS, records);
  }
}

function chunks(keys: readonly DoomedKey[]): { id: string; keys: readonly DoomedKey[] }[] {
  const parts = [];
  for (let at = 0; at < keys.length; at += MAX_MESSAGE_IDS) {
    parts.push({ id: randomUUIDv7(), keys: keys.slice(at, at + MAX_MESSAGE_IDS) });
  }
  return parts;
}
