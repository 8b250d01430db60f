import type { KafkaClient } from '@lethe/kafka';
import { settleWithin } from '@lethe/service';

/** kafkajs repeats a call without end; who waits for it must be able to look at other things. */
const ANSWER_MS = 10_000;

/** Kafka did not answer in time: look again later. */
class KafkaSilentError extends Error {
  override readonly name = 'KafkaSilentError';
  readonly code = 'ETIMEDOUT';
}

type Admin = Awaited<ReturnType<KafkaClient['admin']>>;

/** Kafka's answer, or an error that says it is away. The call is not ended by that, but nobody waits for it any more. */
export async function askKafka<T>(kafka: KafkaClient, call: (admin: Admin) => Promise<T>): Promise<T> {
  const work = kafka.admin().then(call);
  if ((await settleWithin(work, ANSWER_MS)) === 'late') {
    throw new KafkaSilentError('Kafka did not answer about its offsets');
  }
  return work;
}
