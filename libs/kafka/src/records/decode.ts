import type { KafkaMessage } from 'kafkajs';
import { HEADERS, HEARTBEAT_KEY, type Topic } from '@lethe/contracts';
import { contractPath } from './contract-path.ts';

/** Why a record cannot be handed to a handler; its reason goes into the dead letter. */
export interface ContractBreach {
  reason: 'contract';
  /** Field path, or what is wrong with the whole value. */
  detail: string;
}

export interface Decoded {
  value: unknown;
  id: string;
  type: string;
  source: string;
  time: number;
  maybeDuplicate: boolean;
}

export function headerOf(message: Pick<KafkaMessage, 'headers'>, name: string): string | undefined {
  const header = message.headers?.[name];
  const first = Array.isArray(header) ? header[0] : header;
  return first === undefined ? undefined : first.toString();
}

/** A compacted topic's heartbeat: a sign of life, never data. */
export function isHeartbeat(topic: Topic, message: Pick<KafkaMessage, 'key'>): boolean {
  return topic.cleanup.kind === 'compacted' && message.key?.toString() === HEARTBEAT_KEY;
}

/** Whether its header names one of these types; the value is not read. */
export function isOfType(types: ReadonlySet<string>, message: Pick<KafkaMessage, 'headers'>): boolean {
  return types.size > 0 && types.has(headerOf(message, HEADERS.type) ?? '');
}

export function decodeRecord(topic: Topic, message: KafkaMessage): Decoded | ContractBreach {
  const value = decodeValue(topic, message.value);
  if ('reason' in value) return value;
  const timestamp = Number(message.timestamp);
  const time = Date.parse(headerOf(message, HEADERS.time) ?? '');
  return {
    value: value.value,
    id: headerOf(message, HEADERS.id) ?? '',
    type: headerOf(message, HEADERS.type) ?? '',
    source: headerOf(message, HEADERS.source) ?? '',
    time: Number.isNaN(time) ? timestamp : time,
    maybeDuplicate: headerOf(message, HEADERS.maybeDuplicate) === '1',
  };
}

function decodeValue(topic: Topic, bytes: Buffer | null): { value: unknown } | ContractBreach {
  if (bytes === null) {
    return topic.cleanup.kind === 'compacted' ? { value: null } : { reason: 'contract', detail: '(no value)' };
  }
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { reason: 'contract', detail: '(not JSON)' };
  }
  const checked = topic.value.safeParse(json);
  return checked.success ? { value: checked.data } : { reason: 'contract', detail: contractPath(checked.error) };
}
