import { Injectable } from '@nestjs/common';
import { MAIL_EVENTS } from '@lethe/contracts';
import { Consume, done, forgotten, reject, retry, type ConsumedRecord, type Outcome } from '@lethe/kafka';
import { IndexerService, type IndexOutcome } from './indexer.service.ts';

/** Every discrete event, in batches over all partitions: one bulk request for many. */
@Injectable()
export class IndexerConsumer {
  constructor(private readonly indexer: IndexerService) {}

  @Consume(MAIL_EVENTS, { paceMs: 40, batch: { records: 500, lingerMs: 20, parallel: 2 } })
  async handle(records: ConsumedRecord<typeof MAIL_EVENTS>[]): Promise<Outcome[]> {
    const outcomes = await this.indexer.indexAll(records.map(({ value }) => value));
    return outcomes.map(toOutcome);
  }
}

function toOutcome(outcome: IndexOutcome): Outcome {
  switch (outcome.kind) {
    case 'forgotten':
      return forgotten();
    case 'retry':
      return retry(outcome.reason);
    case 'reject':
      return reject(outcome.reason);
    case 'indexed':
    case 'past':
      return done();
  }
}
