import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Client, Pool } from 'pg';
import { column, type Reading, type StoreDeclaration } from '@lethe/contracts';
import { createDatabase, type Stores } from '@lethe/testing';
import type { HolderWorld, PlantedPerson } from '../../src/conformance/conformance.ts';
import {
  measureTables,
  PersonalDataHolder,
  type ClosingScope,
  type Counts,
  type Erased,
  type Scope,
} from '../../src/index.ts';

const DAY = 86_400_000;

/** The smallest store with people in it: notes about someone, which may mention others. */
export const NOTES: readonly StoreDeclaration[] = [
  {
    store: 'suppression.note',
    owner: 'suppression',
    kind: 'table',
    what: 'notes about people',
    limit: { class: 'e7', limitMs: 7 * DAY, mechanism: 'a row is deleted on its day' },
    table: 'public.note',
    age: 'written_at',
    columns: {
      id: column.opaque,
      account_id: column.opaque,
      subject: column.opaque,
      mentions: column.opaque,
      written_at: column.instant,
    },
  },
  {
    store: 'suppression.marker',
    owner: 'suppression',
    kind: 'table',
    what: 'no time limit: not measured',
    limit: { until: 'the account is closed' },
    table: 'public.marker',
    columns: { id: column.opaque },
  },
];

export const NOTE_TABLES = `
  CREATE TABLE note (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    subject text NOT NULL,
    mentions text[] NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE marker (id uuid PRIMARY KEY)`;

/** An honest holder over these notes; what it is asked is remembered. */
@Injectable()
export class NotesHolder extends PersonalDataHolder {
  readonly asked: string[] = [];

  constructor(protected readonly pool: Pool) {
    super();
  }

  async fence({ requestId }: Scope): Promise<void> {
    this.asked.push(`fence ${requestId}`);
  }

  async erase({ requestId, accountId, subjects }: Scope): Promise<Erased> {
    this.asked.push(`erase ${requestId}`);
    const whom = [accountId, [...subjects]];
    const note = await this.rows('DELETE FROM note WHERE account_id = $1 AND subject = ANY($2)', whom);
    const mention = await this.rows(
      `UPDATE note SET mentions = ARRAY(SELECT m FROM unnest(mentions) m WHERE m <> ALL($2))
       WHERE account_id = $1 AND mentions && $2`,
      whom,
    );
    return { found: some({ note, mention }), removed: some({ note, mention }) };
  }

  async verify({ requestId, accountId, subjects }: Scope): Promise<Counts> {
    this.asked.push(`verify ${requestId}`);
    const whom = [accountId, [...subjects]];
    return some({
      note: await this.rows('SELECT FROM note WHERE account_id = $1 AND subject = ANY($2)', whom),
      mention: await this.rows('SELECT FROM note WHERE account_id = $1 AND mentions && $2', whom),
    });
  }

  async fenceAccount({ requestId }: ClosingScope): Promise<void> {
    this.asked.push(`fence account ${requestId}`);
  }

  async eraseAccount({ requestId, accountId }: ClosingScope): Promise<Erased> {
    this.asked.push(`erase account ${requestId}`);
    const removed = some({ note: await this.rows('DELETE FROM note WHERE account_id = $1', [accountId]) });
    return { found: removed, removed };
  }

  async verifyAccount({ requestId, accountId }: ClosingScope): Promise<Counts> {
    this.asked.push(`verify account ${requestId}`);
    return some({ note: await this.rows('SELECT FROM note WHERE account_id = $1', [accountId]) });
  }

  measure(): Promise<Reading[]> {
    return measureTables(this.pool, NOTES);
  }

  private async rows(sql: string, values: unknown[]): Promise<number> {
    return (await this.pool.query(sql, values)).rowCount ?? 0;
  }
}

const some = (counts: Record<string, number>): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));

export interface NotesDatabase {
  readonly pool: Pool;
  add(note: { accountId: string; subject: string; mentions?: string[] }): Promise<void>;
  close(): Promise<void>;
}

export async function notesDatabase(stores: Stores): Promise<NotesDatabase> {
  const database = await createDatabase(stores, 'suppression', `ph${randomBytes(4).toString('hex')}`);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(NOTE_TABLES);
  await client.end();
  const pool = new Pool({ connectionString: database.url, max: 4 });
  return {
    pool,
    async add({ accountId, subject, mentions = [] }) {
      await pool.query('INSERT INTO note (id, account_id, subject, mentions) VALUES ($1, $2, $3, $4)', [
        randomUUID(),
        accountId,
        subject,
        mentions,
      ]);
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

/** For `holderConformance`: each person has two notes and is mentioned in one of a friend's. */
export async function notesWorld(
  stores: Stores,
  holderOf: (pool: Pool) => PersonalDataHolder = (pool) => new NotesHolder(pool),
): Promise<HolderWorld> {
  const database = await notesDatabase(stores);
  const accountId = randomUUID();
  return {
    holder: holderOf(database.pool),
    accountId,
    kinds: ['note', 'mention'],
    stores: NOTES,
    filled: ['suppression.note'],
    async plant(): Promise<PlantedPerson> {
      const subject = randomUUID();
      await database.add({ accountId, subject });
      await database.add({ accountId, subject, mentions: [randomUUID()] });
      await database.add({ accountId, subject: randomUUID(), mentions: [subject, randomUUID()] });
      return { subject, planted: { note: 2, mention: 1 } };
    },
    async others(people) {
      const { rows } = await database.pool.query<{ subject: string; mentions: string[] }>(
        'SELECT * FROM note ORDER BY id',
      );
      const theirs = new Set(people.map(({ subject }) => subject));
      return rows
        .filter(({ subject }) => !theirs.has(subject))
        .map((row) => ({ ...row, mentions: row.mentions.filter((mention) => !theirs.has(mention)) }));
    },
    close: () => database.close(),
  };
}
