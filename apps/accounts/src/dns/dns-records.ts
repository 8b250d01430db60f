import type { AccountsConfig } from '../config.ts';
import type { Domain } from '../domains/domain.entity.ts';
import type { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import { dkimRecord } from '../dkim/dkim-key-pair.ts';

/** What a look at the DNS found. `unknown`: nobody has looked, or the DNS did not answer. */
export const CHECKS = ['unknown', 'valid', 'invalid'] as const;
export type Check = (typeof CHECKS)[number];

/** A record that a domain is to have in the DNS. */
export interface WantedRecord {
  use: 'dkim' | 'spf' | 'dmarc' | 'tracking' | 'mx';
  type: 'TXT' | 'CNAME' | 'MX';
  name: string;
  value: string;
}

/** What the operator says of the platform's own place in the DNS. */
export type DnsNames = Pick<AccountsConfig, 'SPF_RECORD' | 'DMARC_RECORD' | 'TRACKING_HOST' | 'MX_HOSTS'>;

/** One record a key, in the order of `keys`; only these decide whether the domain may send. */
export const dkimRecords = ({ name }: Domain, keys: readonly DkimKeyRow[]): WantedRecord[] =>
  keys.map((key) => ({ use: 'dkim', type: 'TXT', ...dkimRecord(name, key) }));

/** The other records for mail that is sent. */
export function sendingRecords({ name, webPrefix }: Domain, names: DnsNames): WantedRecord[] {
  const records: WantedRecord[] = [];
  if (names.SPF_RECORD !== undefined) records.push({ use: 'spf', type: 'TXT', name, value: names.SPF_RECORD });
  if (names.TRACKING_HOST !== undefined) {
    records.push({ use: 'tracking', type: 'CNAME', name: `${webPrefix}.${name}`, value: names.TRACKING_HOST });
  }
  records.push({ use: 'dmarc', type: 'TXT', name: `_dmarc.${name}`, value: names.DMARC_RECORD });
  return records;
}

/** Records for mail that is received. */
export const receivingRecords = ({ name }: Domain, { MX_HOSTS }: DnsNames): WantedRecord[] =>
  MX_HOSTS.map((value) => ({ use: 'mx', type: 'MX', name, value }));

/** By which a finding is kept: what was found of another name or value says nothing of this one. */
export const recordKey = ({ type, name, value }: WantedRecord): string => `${type} ${name} ${value}`;
