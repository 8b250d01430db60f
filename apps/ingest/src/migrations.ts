import { Messages1764000000000 } from './accept/message.migration.ts';
import { Outbox1764000000001 } from './accept/outbox.migration.ts';

export const MIGRATIONS = [Messages1764000000000, Outbox1764000000001];
