import { randomUUID } from 'node:crypto';
import { PRIVACY_COMMANDS, type PrivacyReply } from '@lethe/contracts';
import { Publisher } from '@lethe/kafka';
import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { nonsense, SKEW_MS } from './reading.ts';
import { ReadingRepository } from './reading.repository.ts';

export type MeasureReply = Extract<PrivacyReply, { step: 'measure' }>;

/** Holders measure their own stores: asked all at once, each answers when it can. */
@Injectable()
export class HoldersMeter {
  constructor(
    private readonly publisher: Publisher,
    private readonly readings: ReadingRepository,
    private readonly clock: Clock,
  ) {}

  async ask(): Promise<void> {
    const requestId = randomUUID();
    const value = { requestId, attempt: 1, at: this.clock.now(), step: 'measure' } as const;
    await this.publisher.publish(PRIVACY_COMMANDS, [
      { key: requestId, value, id: `${requestId}/measure/1`, type: 'privacy.measure' },
    ]);
  }

  /** Of a holder that says in the record's header who it is. @returns why the answer is not believed, if it is not. */
  async receive({ service, at, readings }: MeasureReply): Promise<string | undefined> {
    if (service === 'gateway') return 'not-a-holder';
    // A clock that is ahead would make every right answer after it look late.
    if (at > this.clock.now() + SKEW_MS) return 'from-the-future';
    const reason = readings.map((reading) => nonsense(service, reading, at)).find((one) => one !== undefined);
    if (reason !== undefined) return reason;
    const stored = readings.map(({ oldestAt, ...reading }) => ({
      ...reading,
      service,
      oldestAt: oldestAt === null ? null : new Date(oldestAt),
    }));
    // One that came late changes nothing.
    await this.readings.save(service, new Date(at), stored);
    return undefined;
  }
}
