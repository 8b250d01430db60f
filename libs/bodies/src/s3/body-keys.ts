import type { BodyRef } from '../store/body-store.ts';
import { isInstructed } from '../store/drop-time.ts';

/** What the bucket's own rules are about; beside it there is only the claim. */
export const BODIES = 'bodies/';
/** Those that are kept for longer than all others, by an instruction. */
export const INSTRUCTED = 'instructed/';
const KEY =
  /^(?:bodies|instructed)\/(?<hour>\d{4}-\d\d-\d\dT\d\d)\/(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/;

/** `bodies/<drop time, to the hour>/<message id>`: listed and dropped by drop time, in order of acceptance. */
export function keyOf({ messageId, dropAt }: BodyRef): string {
  const accepted = acceptedAt(messageId);
  const folder = accepted !== undefined && isInstructed(accepted, dropAt) ? INSTRUCTED : BODIES;
  return `${folder}${dropAt.toISOString().slice(0, 13)}/${messageId}`;
}

/** The drop time of a prefix; undefined: not one of ours. */
export function dropTimeOf(prefix: string): Date | undefined {
  const hour = KEY.exec(prefix)?.groups?.['hour'];
  const dropAt = new Date(`${hour}:00:00.000Z`);
  return Number.isNaN(dropAt.getTime()) ? undefined : dropAt;
}

export const messageOf = (key: string): string | undefined => KEY.exec(key)?.groups?.['id'];

/** When a message was accepted: its id is a v7 UUID and carries it (RFC 9562 §5.7). */
export function acceptedAt(messageId: string): Date | undefined {
  return messageId[14] === '7'
    ? new Date(Number.parseInt(messageId.slice(0, 8) + messageId.slice(9, 13), 16))
    : undefined;
}
