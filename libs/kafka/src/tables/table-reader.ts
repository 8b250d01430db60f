import { randomBytes } from 'node:crypto';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Topic, ValueOf } from '@lethe/contracts';
import { settleWithin } from '@lethe/service';
import type { KafkaClient } from '../client/kafka-client.ts';
import type { DeadLetters } from '../consume/dead-letters.ts';
import { superviseConsumer } from '../consume/supervise-consumer.ts';
import { decodeRecord, isHeartbeat } from '../records/decode.ts';
import { Freshness } from './freshness.ts';
import type { LocalTable } from './local-table.ts';

/** A dead-letter topic that does not answer must not make the table stale for longer. */
const BURY_WAIT_MS = 1_000;
const DISCONNECT_MS = 2_000;

/**
 * Reads a compacted topic whole into a table: all partitions in every process, from the beginning, in a group of its own
 * that never commits.
 */
export class TableReader<T extends Topic> {
  readonly groupId: string;
  private readonly topic: string;
  private readonly consumer: Consumer;
  private readonly freshness = new Freshness();
  /** Next offset wanted, by partition: a rejoin reads from the beginning, and older values must not come back. */
  private readonly next = new Map<number, number>();
  /** Ends at start that are not reached yet; `undefined` until they are known. */
  private missing: Map<number, number> | undefined;
  private readonly stopped = new AbortController();

  constructor(
    private readonly client: KafkaClient,
    private readonly table: LocalTable<T>,
    private readonly deadLetters: DeadLetters,
  ) {
    this.topic = client.topicName(table.topic);
    this.groupId = client.groupName(`table-${table.topic.name}-${randomBytes(6).toString('hex')}`);
    this.consumer = client.consumer({ groupId: this.groupId });
    table.attach({
      ready: () => this.missing?.size === 0,
      fresh: () => this.freshness.fresh(performance.now()),
    });
  }

  start(): void {
    const { consumer, topic } = this;
    const run = () =>
      consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 1,
        eachBatch: (payload) => this.read(payload),
      });
    superviseConsumer(consumer, {
      log: this.client.log,
      topic: this.table.topic.name,
      stopped: () => this.stopped.signal.aborted,
      run: async () => {
        await this.readEnds();
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await run();
      },
      rerun: async () => {
        await consumer.connect();
        await run();
      },
    });
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    // The group commits nothing, so the broker forgets it once it is empty.
    await settleWithin(this.consumer.disconnect(), DISCONNECT_MS).catch(() => undefined);
  }

  private async readEnds(): Promise<void> {
    const admin = await this.client.admin();
    const offsets = await admin.fetchTopicOffsets(this.topic);
    const missing = new Map<number, number>();
    for (const { partition, high, low } of offsets) {
      // Every partition has to be proven, and no proof counts from here: joining can take so long that the first heartbeat's would
      // run out before the next one, and who began to accept would refuse again.
      this.freshness.sawEnd(partition, Number(high), Number.NEGATIVE_INFINITY);
      if (Number(high) > Number(low)) missing.set(partition, Number(high));
    }
    this.missing = missing;
  }

  private async read({ batch }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    for (const message of batch.messages) {
      const offset = Number(message.offset);
      if (offset < (this.next.get(partition) ?? 0)) continue;
      if (isHeartbeat(this.table.topic, message)) this.freshness.heartbeat(partition, offset);
      else await this.apply(partition, message);
      this.next.set(partition, offset + 1);
    }
    this.freshness.sawEnd(partition, Number(batch.highWatermark), performance.now());
    const end = this.missing?.get(partition);
    if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) this.missing?.delete(partition);
  }

  private async apply(partition: number, message: EachBatchPayload['batch']['messages'][number]): Promise<void> {
    const { topic } = this.table;
    const decoded = decodeRecord(topic, message);
    if (!('reason' in decoded)) {
      this.table.apply(message.key?.toString() ?? '', decoded.value as ValueOf<T> | null);
      return;
    }
    // The old value stays: an unreadable setting must not open or close anything by itself.
    const buried = this.deadLetters.bury({ topic, partition, message }, decoded, this.stopped.signal);
    await settleWithin(buried, BURY_WAIT_MS);
  }
}
