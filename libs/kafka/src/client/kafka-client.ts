import { type Admin, type Consumer, type ConsumerConfig, Kafka, type Producer } from 'kafkajs';
import type { Topic } from '@lethe/contracts';
import type { Log } from '@lethe/service';
import { settleWithin } from '@lethe/service';
import type { KafkaConfig } from './kafka-config.ts';
import { boundedKafkaLogs } from './kafka-logs.ts';
import { quietQueues } from './quiet-queues.ts';
import { quickRecords } from './record-encoder.ts';

// kafkajs prints a notice about its partitioner on every producer otherwise.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] ??= '1';
quietQueues();
quickRecords();

/**
 * Retry without end. kafkajs gives up after five attempts although it documents more for idempotent producers; with
 * these values a broker away for 15 s lost and doubled nothing. Bounds are set by the callers of this library.
 */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER };

const CLOSE_MS = 1_000;

/** One kafkajs client of one service, with the settings every producer and consumer of Lethe shares. */
export class KafkaClient {
  private readonly kafka: Kafka;
  private sharedAdmin: Promise<Admin> | undefined;

  constructor(
    readonly service: string,
    readonly config: KafkaConfig,
    readonly log: Log,
  ) {
    const { KAFKA_BROKERS: brokers, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = config;
    this.kafka = new Kafka({
      clientId: service,
      brokers,
      ...(username === undefined ? {} : { sasl: { mechanism: 'scram-sha-512', username, password: password ?? '' } }),
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      retry: RETRY,
      logCreator: boundedKafkaLogs(log),
    });
  }

  /** A topic's name on the broker. */
  topicName(topic: Topic | string): string {
    return this.config.TOPIC_PREFIX + (typeof topic === 'string' ? topic : topic.name);
  }

  groupName(suffix: string): string {
    return `${this.config.TOPIC_PREFIX}${this.service}-${suffix}`;
  }

  producer(): Producer {
    return this.kafka.producer({ idempotent: true, allowAutoTopicCreation: false, retry: RETRY });
  }

  consumer(config: ConsumerConfig): Consumer {
    return this.kafka.consumer({
      sessionTimeout: 8_000,
      heartbeatInterval: 1_500,
      rebalanceTimeout: 8_000,
      // A fetch is answered at once when there is anything; this is how often nothing is said, and how late a pause ends.
      maxWaitTimeInMs: 500,
      allowAutoTopicCreation: false,
      retry: RETRY,
      ...config,
    });
  }

  /** The shared admin connection: offsets are read with it, nothing is created. */
  admin(): Promise<Admin> {
    this.sharedAdmin ??= (async () => {
      const admin = this.kafka.admin({ retry: RETRY });
      try {
        await admin.connect();
        return admin;
      } catch (error) {
        this.sharedAdmin = undefined;
        throw error;
      }
    })();
    return this.sharedAdmin;
  }

  /** Disconnects the shared admin; with the broker away, its attempts end with the process. */
  async close(): Promise<void> {
    const closed = this.sharedAdmin?.then((admin) => admin.disconnect());
    this.sharedAdmin = undefined;
    if (closed) await settleWithin(closed, CLOSE_MS).catch(() => undefined);
  }
}
