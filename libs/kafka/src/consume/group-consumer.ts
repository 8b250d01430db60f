import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { settleWithin } from '@lethe/service';
import type { KafkaClient } from '../client/kafka-client.ts';
import { observeLag, observeWindow } from '../metrics.ts';
import { decodeProgress } from '../window/progress.ts';
import { PartitionWindow } from '../window/partition-window.ts';
import type { Binding } from './binding.ts';
import { Committer, type PartitionCommit } from './committer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { Dispatcher } from './dispatcher.ts';
import { stickyAssigner } from './sticky-assigner.ts';
import { superviseConsumer } from './supervise-consumer.ts';

type Window = PartitionWindow<KafkaMessage>;

const CLAIMS_COMMIT_MS = 10;
const COMMIT_MS = 250;
const RESTORE_RETRY_MS = 200;
const FRAMING_BYTES = 200;
const FLUSH_MS = 1_000;
const DISCONNECT_MS = 2_000;

/**
 * One topic, one group, one handler. kafkajs' loop only fills windows (`eachBatch` returns at once), because it waits for
 * all handlers of a fetch otherwise; handing out and committing are ours.
 */
export class GroupConsumer {
  readonly groupId: string;
  private readonly topic: string;
  private readonly windows = new Map<number, Window>();
  private readonly paused = new Set<number>();
  private readonly lags = new Map<number, number>();
  private readonly dispatcher: Dispatcher;
  private readonly committer: Committer;
  private readonly consumer: Consumer;
  /** Marks our commits: see `Progress.writer`. */
  private readonly writer = randomBytes(9).toString('base64url');
  private memberId = '';
  private joins = 0;
  /** The join whose partitions are known. */
  private restoredJoin = 0;
  /** The coordinator may have given our partitions to others. */
  private doubted = false;
  private restored: Promise<void> = Promise.resolve();
  private commitCall: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  private stopping = false;
  private fetchedAt = 0;
  private up = false;

  constructor(
    private readonly client: KafkaClient,
    private readonly binding: Binding,
    deadLetters: DeadLetters,
  ) {
    this.topic = client.topicName(binding.topic);
    this.groupId = client.groupName(binding.group);
    this.dispatcher = new Dispatcher(binding, this.windows, deadLetters, client.log, (partition, claimed) => {
      this.committer.request(claimed);
      if (partition !== null) this.resumeIfLow(partition);
    });
    this.committer = new Committer(
      {
        windows: () => this.windows,
        commit: (partitions) => this.commit(partitions),
        committed: () => this.dispatcher.pump(),
      },
      binding.claims ? CLAIMS_COMMIT_MS : COMMIT_MS,
    );
    this.consumer = client.consumer({
      groupId: this.groupId,
      partitionAssigners: [stickyAssigner(() => this.windows.keys())],
    });
    observeWindow(binding.topic.name, () => [...this.windows.values()].reduce((sum, window) => sum + window.size, 0));
    observeLag(binding.topic.name, () => [...this.lags.values()].reduce((sum, lag) => sum + lag, 0));
  }

  get name(): string {
    return this.binding.group;
  }

  /** Whether it is a member of its group and knows where its partitions stand. */
  get ready(): boolean {
    return this.up;
  }

  /** Partitions this process holds at this moment. */
  get partitions(): readonly number[] {
    return this.up ? [...this.windows.keys()] : [];
  }

  /** Starts in the background and stays up until `stop`: a broker away is waited for. */
  start(): void {
    const { consumer, topic } = this;
    const { FETCH, GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = consumer.events;
    consumer.on(FETCH, () => {
      this.fetchedAt = performance.now();
    });
    consumer.on(GROUP_JOIN, ({ payload }) => this.joined(payload.memberId, payload.memberAssignment[topic] ?? []));
    consumer.on(HEARTBEAT, ({ payload }) => this.confirmed(payload.memberId));
    consumer.on(REBALANCING, () => this.uncertain());
    consumer.on(CRASH, () => this.uncertain());
    superviseConsumer(consumer, {
      log: this.client.log,
      topic: this.binding.topic.name,
      stopped: () => this.stopping,
      run: async () => {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await this.run();
      },
      rerun: async () => {
        await consumer.connect();
        await this.run();
      },
    });
  }

  /** Hands out nothing more, lets handlers finish for `drainMs`, commits, leaves the group. */
  async stop(drainMs: number): Promise<void> {
    this.stopping = true;
    this.dispatcher.hold();
    for (const partition of this.windows.keys()) this.pause(partition);
    await settleWithin(this.dispatcher.drain(), drainMs);
    for (const window of this.windows.values()) window.releaseClaims();
    await settleWithin(this.committer.flush(), FLUSH_MS).catch(() => undefined);
    this.committer.stop();
    this.dispatcher.stop();
    await settleWithin(this.consumer.disconnect(), DISCONNECT_MS).catch(() => undefined);
  }

  private run(): Promise<void> {
    return this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => this.enqueue(payload),
    });
  }

  /** Between a lost and a new generation: others may be given our partitions, so nothing new is handed out. */
  private uncertain(): void {
    this.doubted = true;
    this.up = false;
    this.dispatcher.hold();
    this.committer.request(true);
  }

  /**
   * A rebalance can end without a join: kafkajs takes a coordinator that has just started for one, fails to join while it
   * loads, and goes on as the member it was. That the coordinator takes its heartbeat says that the generation holds.
   */
  private confirmed(memberId: string): void {
    if (!this.doubted || memberId !== this.memberId) return;
    this.doubted = false;
    this.open();
  }

  private joined(memberId: string, partitions: readonly number[]): void {
    this.joins += 1;
    this.doubted = false;
    this.dispatcher.hold();
    // The same member id means no generation passed without us; a new one means somebody may have worked meanwhile.
    const sameMember = memberId === this.memberId;
    this.memberId = memberId;
    if (!sameMember) this.paused.clear();
    for (const partition of this.windows.keys()) if (!partitions.includes(partition)) this.drop(partition);
    const unknown = partitions.filter((partition) => !sameMember || !this.windows.has(partition));
    this.restored = this.restore(this.joins, unknown);
  }

  /** Reads committed offset and metadata of partitions before anything of them is handed out. */
  private async restore(join: number, partitions: readonly number[]): Promise<void> {
    const committed = partitions.length === 0 ? [] : await this.fetchCommitted(join);
    if (!committed || join !== this.joins) return;
    for (const partition of partitions) {
      const { offset = '-1', metadata = null } = committed.find((each) => each.partition === partition) ?? {};
      const progress = Number(offset) < 0 ? null : decodeProgress(Number(offset), metadata);
      const held = this.windows.get(partition);
      // Our own mark is the last: nobody else had it, and the records in flight are still ours to finish.
      if (held && (progress === null || progress.writer === this.writer)) continue;
      if (held) this.drop(partition);
      this.windows.set(partition, new PartitionWindow(progress, this.writer, this.binding.claims));
    }
    this.restoredJoin = join;
    this.open();
  }

  /** Hands out, if our partitions are known and ours beyond doubt. */
  private open(): void {
    if (this.stopping || this.doubted || this.restoredJoin !== this.joins) return;
    this.up = true;
    this.committer.request(false);
    this.dispatcher.release();
  }

  private async fetchCommitted(
    join: number,
  ): Promise<{ partition: number; offset: string; metadata: string | null }[] | undefined> {
    for (let pause = RESTORE_RETRY_MS; join === this.joins && !this.stopping; pause = Math.min(5_000, pause * 2)) {
      try {
        const admin = await this.client.admin();
        const [answer] = await admin.fetchOffsets({ groupId: this.groupId, topics: [this.topic] });
        return answer?.partitions ?? [];
      } catch (error) {
        this.client.log.warn('kafka.offsets-not-read', { topic: this.binding.topic.name, error });
        await sleep(pause);
      }
    }
    return undefined;
  }

  private async enqueue(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    for (let known; known !== this.restored;) {
      known = this.restored;
      await known;
    }
    this.commitCall = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    const window = this.windows.get(batch.partition);
    if (!window || this.stopping || !(await this.continues(window, payload))) return;
    this.lags.set(batch.partition, Number(batch.offsetLag()));
    for (const message of batch.messages) {
      const bytes = FRAMING_BYTES + (message.value?.length ?? 0);
      if (window.offer(Number(message.offset), bytes, message) === 'full') {
        this.pause(batch.partition);
        break;
      }
      payload.resolveOffset(message.offset);
    }
    if (window.high) this.pause(batch.partition);
    this.dispatcher.pump();
    // kafkajs fetches again when all that came is taken in; of one fetch this waits once.
    const pause =
      batch.messages.length > 0 && !this.stopping ? this.fetchedAt + this.binding.paceMs - performance.now() : 0;
    if (pause > 0) await sleep(pause);
  }

  /**
   * A batch fetched before a rejoin can arrive after it and start beyond what this window has: go back. Where the broker
   * has deleted what is missing (retention), go on behind the hole.
   */
  private async continues(window: Window, { batch }: EachBatchPayload): Promise<boolean> {
    const { partition } = batch;
    const from = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
    if (window.next === null || from <= window.next) return true;
    const admin = await this.client.admin();
    const offsets = await admin.fetchTopicOffsets(this.topic);
    const low = Number(offsets.find((each) => each.partition === partition)?.low ?? 0);
    if (low > window.next) {
      this.client.log.error('kafka.records-expired-unread', { topic: this.binding.topic.name, partition });
      window.skipTo(low);
    }
    if (from <= window.next) return true;
    this.consumer.seek({ topic: this.topic, partition, offset: String(window.next) });
    return false;
  }

  private commit(partitions: PartitionCommit[]): Promise<void> | undefined {
    if (!this.commitCall) return undefined;
    // Not `consumer.commitOffsets`: that one retries, and a repetition after a rejoin would be taken for the new
    // generation's although the partition may be lost. This one speaks for the generation of this moment, once.
    return this.commitCall({ topics: [{ topic: this.topic, partitions }] });
  }

  private drop(partition: number): void {
    const window = this.windows.get(partition);
    if (window) this.dispatcher.drop(window);
    this.windows.delete(partition);
    this.lags.delete(partition);
    this.resume(partition);
  }

  private pause(partition: number): void {
    this.paused.add(partition);
    this.fetching('pause', partition);
  }

  private resumeIfLow(partition: number): void {
    if (this.paused.has(partition) && !this.stopping && this.windows.get(partition)?.low) this.resume(partition);
  }

  private resume(partition: number): void {
    if (this.paused.delete(partition)) this.fetching('resume', partition);
  }

  private fetching(action: 'pause' | 'resume', partition: number): void {
    try {
      this.consumer[action]([{ topic: this.topic, partitions: [partition] }]);
    } catch {
      // kafkajs throws while it is down; it starts again with nothing paused.
    }
  }
}
