import { HEARTBEAT_INTERVAL_MS, HEARTBEAT_KEY, HEADERS, type Topic } from '@lethe/contracts';
import type { Log } from '@lethe/service';
import type { Publisher } from '../publish/publisher.ts';

/**
 * One record per partition and second on a compacted topic, by its owner, while the owner is healthy: it tells readers that
 * silence means "nothing changed", and it makes the topic forget (segments roll only when written to). Replicas of the
 * owner may all send it.
 */
export class HeartbeatPublisher {
  private timer: NodeJS.Timeout | undefined;
  private underWay = false;

  constructor(
    private readonly publisher: Publisher,
    private readonly service: string,
    private readonly topics: readonly Topic[],
    private readonly log: Log,
    /** Whether the owner could publish its changes now: its database answers, its outbox moves. */
    private readonly healthy: () => boolean,
  ) {}

  start(): void {
    if (this.topics.length > 0) this.timer = setInterval(() => void this.beat(), HEARTBEAT_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async beat(): Promise<void> {
    // One at a time: a broker away must not gather a queue of them.
    if (this.underWay || !this.healthy()) return;
    this.underWay = true;
    try {
      await this.publisher.sendRaw(this.topics.flatMap((topic) => this.records(topic)));
    } catch (error) {
      this.log.warn('kafka.heartbeat-failed', { error });
    } finally {
      this.underWay = false;
    }
  }

  private records(topic: Topic) {
    const headers = {
      [HEADERS.specVersion]: '1.0',
      [HEADERS.id]: HEARTBEAT_KEY,
      [HEADERS.type]: HEARTBEAT_KEY,
      [HEADERS.source]: this.service,
      [HEADERS.time]: new Date().toISOString(),
    };
    return Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      message: { key: HEARTBEAT_KEY, value: '{}', partition, headers },
    }));
  }
}
