import { Messages1764000000000 } from './accept/message.migration.ts';
import { Outbox1764000000001 } from './accept/outbox.migration.ts';
import { Related1764000000002 } from './accept/related.migration.ts';

export const MIGRATIONS = [Messages1764000000000, Outbox1764000000001, Related1764000000002];
