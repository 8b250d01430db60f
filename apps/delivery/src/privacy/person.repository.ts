import { Injectable } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';
import { ShredRepository } from '../shred/shred.repository.ts';

/** Rows looked at with one statement; a record is some kilobytes. */
const PAGE = 500;
const FIRST: Key = { messageId: '00000000-0000-0000-0000-000000000000', ordinal: -1 };

export interface Key {
  readonly messageId: string;
  readonly ordinal: number;
}

/** Whose records. */
export interface Whom {
  readonly accountId: string;
  readonly subjects: Pick<ReadonlySet<string>, 'has'>;
}

/** Of the account, whoever they are. */
export const EVERYBODY: Whom['subjects'] = { has: () => true };

/** Waiting recipients who are one of them, and their names in the records of others. */
export interface Tally {
  deferred: number;
  mention: number;
}

interface Row {
  message_id: string;
  ordinal: number;
  leased: boolean;
  /** Of another account: null. */
  record: string | null;
}

/** What a record has of them. */
interface Part extends Key {
  readonly leased: boolean;
  readonly theirs: boolean;
  readonly mentions: number;
  /** As it is. */
  readonly accepted: MailAccepted;
  /** Without them. */
  readonly record: () => string;
}

/**
 * Finds people in the deferred queue. Their ids are inside its records, so all of it is read, a page at a time: an index would
 * cost every retry something, and erasures are rare.
 */
@Injectable()
export class PersonRepository {
  constructor(
    private readonly database: Database,
    private readonly shred: ShredRepository,
  ) {}

  async count(whom: Whom): Promise<Tally> {
    const tally: Tally = { deferred: 0, mention: 0 };
    for await (const parts of this.parts(whom)) parts.forEach((part) => add(tally, part));
    return tally;
  }

  /** Removes their rows, leased ones too, and their names from the rows of others. */
  async erase(whom: Whom): Promise<Tally> {
    const tally: Tally = { deferred: 0, mention: 0 };
    for await (const parts of this.parts(whom)) {
      await this.database.withClientTransaction(async (client) => {
        // As they are now: another erasure may have been at the same rows.
        const locked = await lock(client, parts, whom);
        const theirs = locked.filter((part) => part.theirs);
        await remove(client, theirs);
        await this.shred.endedIn(
          client,
          theirs.map(({ accepted }) => accepted),
        );
        await rewrite(
          client,
          locked.filter(({ theirs, mentions }) => !theirs && mentions > 0),
        );
        locked.forEach((part) => add(tally, part));
      });
    }
    return tally;
  }

  /** Their rows that some process works on. */
  async leased(whom: Whom): Promise<Key[]> {
    const keys: Key[] = [];
    for await (const parts of this.parts(whom)) keys.push(...parts.filter(({ leased, theirs }) => leased && theirs));
    return keys;
  }

  async leasedLeft(before: readonly Key[]): Promise<Key[]> {
    const { rows } = await this.database.pool.query<Row>(
      `select d.message_id, d.ordinal from deferred d join unnest($1::uuid[], $2::int[]) as t(m, o)
         on d.message_id = t.m and d.ordinal = t.o where d.lease_until > now()`,
      columns(before),
    );
    return rows.map(({ message_id: messageId, ordinal }) => ({ messageId, ordinal }));
  }

  /** Which of these messages have a recipient waiting. */
  async waiting(messages: readonly string[]): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'select distinct message_id as id from deferred where message_id = any($1::uuid[])',
      [messages],
    );
    return rows.map(({ id }) => id);
  }

  /** Rows that have to do with them, page by page. */
  private async *parts(whom: Whom): AsyncGenerator<Part[]> {
    for (let last = FIRST; ;) {
      const { rows } = await this.database.pool.query<Row>({
        name: 'deferred-page',
        text: `
          select message_id, ordinal, coalesce(lease_until > now(), false) as leased,
            case when position($3 in record) > 0 then record end as record
          from deferred where (message_id, ordinal) > ($1, $2) order by message_id, ordinal limit ${PAGE}`,
        values: [last.messageId, last.ordinal, whom.accountId],
      });
      const parts = rows.flatMap((row) => partOf(row, whom) ?? []);
      if (parts.length > 0) yield parts;
      const end = rows.at(-1);
      if (end === undefined || rows.length < PAGE) return;
      last = { messageId: end.message_id, ordinal: end.ordinal };
    }
  }
}

function partOf({ message_id: messageId, ordinal, leased, record: text }: Row, whom: Whom): Part | undefined {
  if (text === null) return undefined;
  // Written by this service from a record that had passed its contract.
  const record = JSON.parse(text) as MailAccepted;
  if (record.accountId !== whom.accountId) return undefined;
  const related = record.related.filter(({ subject }) => !whom.subjects.has(subject));
  const mentions = record.related.length - related.length;
  const theirs = whom.subjects.has(record.recipient.subject);
  if (!theirs && mentions === 0) return undefined;
  const without = () => JSON.stringify({ ...record, related });
  return { messageId, ordinal, leased, theirs, mentions, accepted: record, record: without };
}

/** A row that goes takes the names in it along. */
function add(tally: Tally, { theirs, mentions }: Part): void {
  if (theirs) tally.deferred += 1;
  else tally.mention += mentions;
}

async function lock(client: PoolClient, keys: readonly Key[], whom: Whom): Promise<Part[]> {
  const { rows } = await client.query<Row>(
    `select d.message_id, d.ordinal, false as leased, d.record
     from deferred d join unnest($1::uuid[], $2::int[]) as t(m, o) on d.message_id = t.m and d.ordinal = t.o
     order by d.message_id, d.ordinal for update of d`,
    columns(keys),
  );
  return rows.flatMap((row) => partOf(row, whom) ?? []);
}

async function remove(client: PoolClient, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return;
  await client.query(
    `delete from deferred d using unnest($1::uuid[], $2::int[]) as t(m, o) where d.message_id = t.m and d.ordinal = t.o`,
    columns(keys),
  );
}

async function rewrite(client: PoolClient, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  await client.query(
    `update deferred d set record = t.r from unnest($1::uuid[], $2::int[], $3::text[]) as t(m, o, r)
     where d.message_id = t.m and d.ordinal = t.o`,
    [...columns(parts), parts.map(({ record }) => record())],
  );
}

const columns = (keys: readonly Key[]): [string[], number[]] => [
  keys.map(({ messageId }) => messageId),
  keys.map(({ ordinal }) => ordinal),
];
