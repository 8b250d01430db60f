import { TOPICS, type Service, type Topic } from '@lethe/contracts';
import { StartupError } from '@lethe/service';

/** What a service says it takes from and gives to Kafka. */
export interface KafkaDeclarations {
  name: Service;
  /** Topics a method with `@Consume` must handle. */
  consumes?: readonly Topic[];
  produces?: readonly Topic[];
  /** How long a record waits for others to share its produce call, in ms; absent: for those of the same turn alone. */
  publishLingerMs?: number;
  /** Compacted topics held as local tables. */
  tables?: readonly Topic[];
}

export interface FoundHandler {
  topic: Topic;
  group: string;
  /** `Class.method` */
  name: string;
  /** A `spill` method that was named and does not exist. */
  missingSpill?: string;
}

/** Compares what is declared, what the contracts allow and what handlers exist. Throws all differences with their remedies. */
export function checkDeclarations(declared: KafkaDeclarations, found: readonly FoundHandler[]): void {
  const { name, consumes = [], produces = [], tables = [] } = declared;
  const wrong: string[] = [];
  for (const { name: topic, producers } of produces) {
    if (!producers.includes(name))
      wrong.push(`${topic} names no producer "${name}": add it in libs/contracts, or remove it from "produces".`);
  }
  for (const { name: topic, consumers } of [...consumes, ...tables]) {
    if (!consumers.includes(name))
      wrong.push(`${topic} names no consumer "${name}": add it in libs/contracts, or remove it here.`);
  }
  for (const { name: topic, cleanup } of tables) {
    if (cleanup.kind !== 'compacted')
      wrong.push(`${topic} is not compacted: it cannot be a local table; consume it instead.`);
  }
  for (const { name: topic } of consumes) {
    if (!found.some((handler) => handler.topic.name === topic)) {
      wrong.push(
        `${topic} has no handler: mark a method with @Consume and provide its class, or remove it from "consumes".`,
      );
    }
  }
  for (const { name: topic, consumers, everyConsumerAnswers: why } of TOPICS as readonly Topic[]) {
    if (why !== undefined && consumers.includes(name) && !consumes.some((consumed) => consumed.name === topic)) {
      wrong.push(`${name} does not answer ${topic}, and ${why}.`);
    }
  }
  for (const handler of found) {
    if (!consumes.some((topic) => topic.name === handler.topic.name)) {
      wrong.push(`${handler.name} handles ${handler.topic.name}, which is not declared: add it to "consumes".`);
    }
    if (handler.missingSpill !== undefined) {
      wrong.push(`${handler.name} names the spill method "${handler.missingSpill}", which its class does not have.`);
    }
  }
  for (const [index, { topic, group, name: second }] of found.entries()) {
    const first = found.slice(0, index).find((other) => other.topic.name === topic.name && other.group === group);
    if (first)
      wrong.push(
        `${topic.name} has two handlers in group ${group}, ${first.name} and ${second}: keep one, or name another group.`,
      );
  }
  if (wrong.length > 0) {
    throw new StartupError(
      `The Kafka declarations of ${name} (KafkaModule.forService) do not hold:\n  ${wrong.join('\n  ')}`,
    );
  }
}
