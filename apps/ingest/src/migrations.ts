import { Messages1764000000000 } from './accept/message.migration.ts';
import { Outbox1764000000001 } from './accept/outbox.migration.ts';
import { Related1764000000002 } from './accept/related.migration.ts';
import { Stored1764000000003 } from './accept/stored.migration.ts';
import { Idempotency1764700000000 } from './idempotency/idempotency.migration.ts';
import { Lists1764600000000 } from './lists/list.migration.ts';
import { SentCount1764700000001 } from './permission/sent-count.migration.ts';
import { Templates1764800000000 } from './templates/template.migration.ts';

export const MIGRATIONS = [
  Messages1764000000000,
  Outbox1764000000001,
  Related1764000000002,
  Stored1764000000003,
  Lists1764600000000,
  Idempotency1764700000000,
  SentCount1764700000001,
  Templates1764800000000,
];
