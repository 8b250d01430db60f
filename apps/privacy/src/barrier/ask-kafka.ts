import type { KafkaClient } from '@lethe/kafka';

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
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new KafkaSilentError('Kafka did not answer about its offsets')), ANSWER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
