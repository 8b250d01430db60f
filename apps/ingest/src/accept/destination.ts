import { createHmac, type KeyObject } from 'node:crypto';
import { MAIL_ACCEPTED } from '@lethe/contracts';

/**
 * Connections to one destination, their rate and back-off live in one process without a shared counter, because
 * everything for that site goes through one partition (design §6). Large providers get several slots, each with its share.
 */
const SLOTS: Readonly<Record<string, number>> = {
  'gmail.com': 8,
  'outlook.com': 6,
  'hotmail.com': 4,
  'yahoo.com': 4,
  'icloud.com': 3,
  'gmx.de': 3,
  'web.de': 3,
};

/**
 * Partition of `mail-accepted` for a recipient's domain (A-labels, lower case). The hash is keyed: a partition number
 * must not tell who is mailed to anyone with a dictionary.
 */
export function destinationPartition(key: KeyObject, domain: string, ordinal: number): number {
  const slot = ordinal % (SLOTS[domain] ?? 1);
  const hash = createHmac('sha256', key).update(domain).update(`\0${slot}`).digest();
  return hash.readUInt32BE(0) % MAIL_ACCEPTED.partitions;
}
