import { Injectable } from '@nestjs/common';
import { BodyStore } from '@lethe/bodies';
import { Database } from '@lethe/database';
import type { ClosingScope } from '@lethe/privacy-holder';
import { Vault } from '@lethe/vault';
import type { PoolClient } from 'pg';
import { countMessages, FIRST, PAGE } from './message.count.ts';

/** Messages, or members of lists, in one transaction. */
const STEP = 500;

/** What there is of an account, by kind. */
export interface Holdings {
  recipient: number;
  mention: number;
  message: number;
  body: number;
  member: number;
  list: number;
  template: number;
  /** Idempotency keys and counts of what was sent, by domain. */
  counter: number;
}

interface MessageRow {
  id: string;
  drop_at: Date;
}

const NOTHING: Holdings = {
  recipient: 0,
  mention: 0,
  message: 0,
  body: 0,
  member: 0,
  list: 0,
  template: 0,
  counter: 0,
};

const OWN = `SELECT id, drop_at FROM message WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT ${PAGE}`;

const COUNT = `
  WITH own AS MATERIALIZED (SELECT id FROM message WHERE account_id = $1)
  SELECT (SELECT count(*) FROM message_recipient r JOIN own ON own.id = r.message_id)::int AS recipient,
    (SELECT count(*) FROM message_related r JOIN own ON own.id = r.message_id)::int AS mention,
    (SELECT count(*) FROM mailing_list_member m JOIN mailing_list l ON l.id = m.list_id WHERE l.account_id = $1)::int AS member,
    (SELECT count(*) FROM mailing_list WHERE account_id = $1)::int AS list,
    (SELECT count(*) FROM template WHERE account_id = $1)::int AS template,
    ((SELECT count(*) FROM idempotency WHERE domain_id = ANY($2::uuid[]))
      + (SELECT count(*) FROM sent_count WHERE scope_id = ANY($2::uuid[] || $1::uuid)))::int AS counter`;

/**
 * Takes out all of an account that is closed, some of it at a time. The content keys of messages are condemned in the transaction that
 * removes their rows: a kill anywhere is made good by the next call.
 */
@Injectable()
export class AccountRepository {
  constructor(
    private readonly database: Database,
    private readonly bodies: BodyStore,
    private readonly vault: Vault,
  ) {}

  async count({ accountId, domains }: ClosingScope): Promise<Holdings> {
    const [{ rows }, messages] = await Promise.all([
      this.database.pool.query<Omit<Holdings, 'message' | 'body'>>(COUNT, [accountId, domains]),
      countMessages(this.bodies, async (after) => {
        const page = await this.database.pool.query<MessageRow>(OWN, [accountId, after]);
        return page.rows;
      }),
    ]);
    return { ...NOTHING, ...rows[0], ...messages };
  }

  async erase(scope: ClosingScope): Promise<Holdings> {
    const gone = { ...NOTHING };
    // Along the primary key, so that the table is gone through once, whoever else's it is.
    for (let after: string | undefined = FIRST; after !== undefined;) after = await this.messages(scope, after, gone);
    for (let some = 1; some > 0; gone.member += some) some = await this.members(scope);
    gone.list = await this.rows('DELETE FROM mailing_list WHERE account_id = $1', [scope.accountId]);
    gone.template = await this.rows('DELETE FROM template WHERE account_id = $1', [scope.accountId]);
    const scopes = [scope.accountId, ...scope.domains];
    gone.counter =
      (await this.rows('DELETE FROM idempotency WHERE domain_id = ANY($1::uuid[])', [scope.domains])) +
      (await this.rows('DELETE FROM sent_count WHERE scope_id = ANY($1::uuid[])', [scopes]));
    return gone;
  }

  /** The last one of those it took; undefined: there are no more. */
  private messages({ requestId, accountId }: ClosingScope, after: string, gone: Holdings): Promise<string | undefined> {
    return this.database.withClientTransaction(async (client) => {
      const { rows } = await client.query<MessageRow>(
        `SELECT id, drop_at FROM message WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT ${STEP} FOR UPDATE`,
        [accountId, after],
      );
      if (rows.length === 0) return undefined;
      const ids = rows.map(({ id }) => id);
      const refs = rows.map(({ id, drop_at: dropAt }) => ({ messageId: id, dropAt }));
      await this.vault.condemnContentKeys(requestId, refs);
      gone.body += await this.bodies.shredMany(client, refs);
      gone.recipient += await removed(client, 'DELETE FROM message_recipient WHERE message_id = ANY($1::uuid[])', ids);
      gone.mention += await removed(client, 'DELETE FROM message_related WHERE message_id = ANY($1::uuid[])', ids);
      await removed(client, 'DELETE FROM outbox WHERE id = ANY($1::uuid[])', ids);
      gone.message += await removed(client, 'DELETE FROM message WHERE id = ANY($1::uuid[])', ids);
      return ids.at(-1);
    });
  }

  private members({ accountId }: ClosingScope): Promise<number> {
    return this.rows(
      `DELETE FROM mailing_list_member WHERE (list_id, subject_id) IN (
         SELECT m.list_id, m.subject_id FROM mailing_list_member m JOIN mailing_list l ON l.id = m.list_id
          WHERE l.account_id = $1 LIMIT ${STEP})`,
      [accountId],
    );
  }

  private async rows(sql: string, values: unknown[]): Promise<number> {
    return (await this.database.pool.query(sql, values)).rowCount ?? 0;
  }
}

const removed = async (client: PoolClient, sql: string, ids: readonly string[]): Promise<number> =>
  (await client.query(sql, [ids])).rowCount ?? 0;
