import { Injectable } from '@nestjs/common';
import { BodyStore } from '@lethe/bodies';
import { Database } from '@lethe/database';
import { Vault, type ContentKeyOf } from '@lethe/vault';
import type { PoolClient } from 'pg';
import { countMessages, PAGE } from './message.count.ts';

/** Rows of a person in one step: bounds the transaction, its locks and the call of the vault within it. */
const STEP = 500;

/** What one step took out. */
export interface Step {
  recipient: number;
  mention: number;
  message: number;
  body: number;
}

/** Whose records, on whose order. */
export interface Whom {
  readonly requestId: string;
  readonly accountId: string;
  readonly subjects: readonly string[];
}

interface MessageRow {
  id: string;
  drop_at: Date;
}

const NOTHING: Step = { recipient: 0, mention: 0, message: 0, body: 0 };

/** Where a person is, by table; constants, not input. */
const some = (table: 'message_recipient' | 'message_related'): string => `
  SELECT p.message_id AS id FROM ${table} p JOIN message m ON m.id = p.message_id
   WHERE p.subject_id = ANY($2::uuid[]) AND m.account_id = $1 LIMIT ${STEP}`;

/** Messages that go with these people: they are for nobody else. */
const THEIRS = `
  SELECT m.id, m.drop_at FROM message m
   WHERE m.account_id = $1 AND m.id > $3
     AND EXISTS (SELECT FROM message_recipient p WHERE p.message_id = m.id AND p.subject_id = ANY($2::uuid[]))
     AND NOT EXISTS (SELECT FROM message_recipient p WHERE p.message_id = m.id AND p.subject_id <> ALL($2::uuid[]))
   ORDER BY m.id LIMIT ${PAGE}`;

const COUNT = `
  WITH received AS (
    SELECT p.message_id FROM message_recipient p LEFT JOIN message m ON m.id = p.message_id
     WHERE p.subject_id = ANY($2::uuid[]) AND (m.account_id = $1 OR m.id IS NULL)
  ), named AS (
    SELECT p.message_id FROM message_related p LEFT JOIN message m ON m.id = p.message_id
     WHERE p.subject_id = ANY($2::uuid[]) AND (m.account_id = $1 OR m.id IS NULL)
  )
  SELECT (SELECT count(*) FROM received)::int AS recipient, (SELECT count(*) FROM named)::int AS mention`;

/**
 * Takes people out of messages, some messages at a time. A step is one transaction, and the content keys of bodies that name
 * them are condemned within it: before the rows are gone that tell which they are, so that a kill anywhere is made good by the
 * next call.
 */
@Injectable()
export class PersonRepository {
  constructor(
    private readonly database: Database,
    private readonly bodies: BodyStore,
    private readonly vault: Vault,
  ) {}

  /** As sender, or as who is to be answered. Undefined: nowhere any more. */
  eraseMentions(whom: Whom): Promise<Step | undefined> {
    return this.step(whom, 'message_related', async (client, messages) => {
      const { rowCount } = await client.query(
        'DELETE FROM message_related WHERE message_id = ANY($1::uuid[]) AND subject_id = ANY($2::uuid[])',
        [messages.map(({ id }) => id), whom.subjects],
      );
      // From and Reply-To stand in the message itself.
      await this.condemn(whom, messages);
      return { ...NOTHING, mention: rowCount ?? 0 };
    });
  }

  /** As recipient; a message without any goes with its body. Undefined: nowhere any more. */
  eraseRecipients(whom: Whom): Promise<Step | undefined> {
    return this.step(whom, 'message_recipient', async (client, messages) => {
      const ids = messages.map(({ id }) => id);
      const { rows: gone } = await client.query<{ message_id: string; role: string }>(
        `DELETE FROM message_recipient WHERE message_id = ANY($1::uuid[]) AND subject_id = ANY($2::uuid[])
         RETURNING message_id, role`,
        [ids, whom.subjects],
      );
      const { rows } = await client.query<{ id: string }>(
        `SELECT id FROM unnest($1::uuid[]) AS left_over(id)
          WHERE NOT EXISTS (SELECT FROM message_recipient WHERE message_id = id)`,
        [ids],
      );
      const nobodys = new Set(rows.map(({ id }) => id));
      // Who is blind, or gets a message of their own, is named nowhere in it: it stays as it is for the others.
      const shown = new Set(gone.filter(({ role }) => role === 'to' || role === 'cc').map(({ message_id: id }) => id));
      const condemned = messages.filter(({ id }) => nobodys.has(id) || shown.has(id));
      await this.condemn(whom, condemned);
      const body = await this.bodies.shredMany(client, refs(messages.filter(({ id }) => nobodys.has(id))));
      await client.query('DELETE FROM message_related WHERE message_id = ANY($1::uuid[])', [[...nobodys]]);
      await client.query('DELETE FROM message WHERE id = ANY($1::uuid[])', [[...nobodys]]);
      return { recipient: gone.length, mention: 0, message: nobodys.size, body };
    });
  }

  /** What is left of them. Counts rows of messages that are gone, too, which no step would find. */
  async count({ accountId, subjects }: Pick<Whom, 'accountId' | 'subjects'>): Promise<Step> {
    const [{ rows }, messages] = await Promise.all([
      this.database.pool.query<Pick<Step, 'recipient' | 'mention'>>(COUNT, [accountId, subjects]),
      countMessages(this.bodies, async (after) => {
        const page = await this.database.pool.query<MessageRow>(THEIRS, [accountId, subjects, after]);
        return page.rows;
      }),
    ]);
    return { ...NOTHING, ...rows[0], ...messages };
  }

  private step(
    { accountId, subjects }: Whom,
    table: 'message_recipient' | 'message_related',
    take: (client: PoolClient, messages: MessageRow[]) => Promise<Step>,
  ): Promise<Step | undefined> {
    return this.database.withClientTransaction(async (client) => {
      const { rows: found } = await client.query<{ id: string }>(some(table), [accountId, subjects]);
      if (found.length === 0) return undefined;
      // In order: two erasures of people in the same messages wait for each other. Whoever is second sees what is left.
      const { rows: messages } = await client.query<MessageRow>(
        'SELECT id, drop_at FROM message WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE',
        [[...new Set(found.map(({ id }) => id))]],
      );
      return take(client, messages);
    });
  }

  private async condemn({ requestId }: Whom, messages: readonly MessageRow[]): Promise<void> {
    if (messages.length > 0) await this.vault.condemnContentKeys(requestId, refs(messages));
  }
}

const refs = (messages: readonly MessageRow[]): ContentKeyOf[] =>
  messages.map(({ id, drop_at: dropAt }) => ({ messageId: id, dropAt }));
