import {
  type HolderService,
  HOLDERS,
  PRIVACY_COMMANDS,
  PRIVACY_REPLIES,
  type PrivacyCommand,
  privacyCommand,
  type PrivacyReply,
} from '@lethe/contracts';
import { KafkaClient, Publisher } from '@lethe/kafka';

type Name = Exclude<HolderService, 'privacy'>;
/** Changes the right answer to a command, or answers nothing. */
export type Behaviour = (command: PrivacyCommand, right: PrivacyReply) => PrivacyReply | PrivacyReply[] | null;

/** Every other holder, over real Kafka: each hears commands in its own group, and answers as a test wants it to. */
export class FakeHolders {
  readonly heard: { service: Name; command: PrivacyCommand }[] = [];
  readonly behaviours = new Map<Name, Behaviour>();
  private readonly members: {
    service: Name;
    client: KafkaClient;
    consumer: ReturnType<KafkaClient['consumer']>;
    publisher: Publisher;
  }[];

  constructor(client: (service: Name) => KafkaClient) {
    this.members = HOLDERS.filter((service) => service !== 'privacy').map((service) => {
      const own = client(service);
      return {
        service,
        client: own,
        consumer: own.consumer({ groupId: own.groupName('privacy-commands') }),
        publisher: new Publisher(own, [PRIVACY_REPLIES]),
      };
    });
  }

  async start(): Promise<void> {
    await Promise.all(
      this.members.map(async ({ service, client, consumer, publisher }) => {
        await consumer.connect();
        await consumer.subscribe({ topics: [client.topicName(PRIVACY_COMMANDS)], fromBeginning: true });
        await consumer.run({
          eachMessage: async ({ message }) => {
            const command = privacyCommand.parse(JSON.parse(message.value?.toString() ?? 'null'));
            this.heard.push({ service, command });
            const right = rightAnswer(service, command);
            if (!right) return;
            const behaviour = this.behaviours.get(service);
            const answer = behaviour ? behaviour(command, right) : right;
            const replies = answer === null ? [] : [answer].flat();
            await publisher.publish(
              PRIVACY_REPLIES,
              replies.map((value, index) => ({
                key: value.requestId,
                value,
                id: `${value.requestId}/${service}/${value.step}/${value.attempt}/${index}`,
                type: `privacy.${value.step}`,
              })),
            );
          },
        });
      }),
    );
  }

  /** Of a request: what that holder was asked, in order. */
  steps(requestId: string, service: Name): string[] {
    return this.heard
      .filter((one) => one.service === service && one.command.requestId === requestId)
      .map(({ command }) => command.step);
  }

  /** Publishes what nobody asked for, as `service`. */
  async say(service: Name, value: PrivacyReply): Promise<void> {
    const { publisher } = this.members.find((member) => member.service === service)!;
    await publisher.publish(PRIVACY_REPLIES, [{ key: value.requestId, value, id: 'said', type: 'privacy.said' }]);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.members.map(async ({ consumer, publisher, client }) => {
        await consumer.disconnect();
        await publisher.close(1_000);
        await client.close();
      }),
    );
  }
}

function rightAnswer(service: Name, command: PrivacyCommand): PrivacyReply | undefined {
  const common = { requestId: command.requestId, attempt: command.attempt, service, at: Date.now() };
  const about = () => ({
    subjects: 'subjects' in command ? command.subjects.length : 0,
    ...('closing' in command && command.closing ? { closing: true } : {}),
  });
  switch (command.step) {
    case 'fence':
      return { ...common, step: 'fence', outcome: 'done', ...about() };
    case 'erase':
      return { ...common, step: 'erase', outcome: 'done', ...about(), found: {}, removed: {} };
    case 'verify':
      return { ...common, step: 'verify', outcome: 'done', ...about(), residual: {} };
    case 'in-flight':
      return service === 'delivery' ? { ...common, step: 'in-flight', outcome: 'done', messages: [] } : undefined;
    case 'measure':
      return { ...common, step: 'measure', outcome: 'done', readings: [] };
  }
}
