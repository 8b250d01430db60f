import { MAIL_EVENTS, mailEvent, type MailEvent } from '@lethe/contracts';
import { until } from '@lethe/testing';
import type { Surroundings } from './surroundings.ts';

export interface Received {
  from: string;
  to: string[];
  receivedAt: string;
  tls: boolean;
  raw: Buffer;
}

/** What the world received for an address. */
export async function received({ world }: Surroundings, to?: string): Promise<Received[]> {
  const response = await fetch(`${world.http}/messages${to === undefined ? '' : `?to=${encodeURIComponent(to)}`}`);
  const messages = (await response.json()) as (Omit<Received, 'raw'> & { raw: string })[];
  return messages.map((message) => ({ ...message, raw: Buffer.from(message.raw, 'base64') }));
}

/** Every event published from now on, as `events` would read them. */
export async function watchEvents({ events }: Surroundings): Promise<{
  all: MailEvent[];
  of(messageId: string): MailEvent[];
  /** Waits for an event of a message; throws what was there instead. */
  next(messageId: string, type: MailEvent['type'], attempt?: number, waitMs?: number): Promise<MailEvent>;
  stop(): Promise<void>;
}> {
  const all: MailEvent[] = [];
  const consumer = events.consumer({ groupId: events.groupName('watch') });
  await consumer.connect();
  await consumer.subscribe({ topics: [events.topicName(MAIL_EVENTS)], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      all.push(mailEvent.parse(JSON.parse(message.value?.toString() ?? 'null')));
    },
  });
  const of = (messageId: string): MailEvent[] => all.filter((event) => event.messageId === messageId);
  return {
    all,
    of,
    async next(messageId, type, attempt, waitMs = 15_000) {
      const find = (): MailEvent | undefined =>
        of(messageId).find(
          (event) =>
            event.type === type &&
            (attempt === undefined || ('deliveryStatus' in event && event.deliveryStatus.attempt === attempt)),
        );
      if (!(await until(() => find() !== undefined, waitMs, 20))) {
        const seen = of(messageId).map(
          (event) => `${event.type} ${JSON.stringify('deliveryStatus' in event && event.deliveryStatus)}`,
        );
        throw new Error(`No ${type} event of the message in time; there were: ${seen.join('; ') || 'none'}`);
      }
      return find() as MailEvent;
    },
    stop: () => consumer.disconnect(),
  };
}
