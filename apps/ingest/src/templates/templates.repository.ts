import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import type { PoolClient } from 'pg';

/** mailgun-api §13 */
export const MOST_VERSIONS = 40;
/** A domain that was just made is not missed by a replica that has not heard of it yet. */
const SETTLED = `interval '5 minutes'`;

export interface TemplateRow {
  readonly id: string;
  readonly account_id: string;
  readonly domain_id: string;
  readonly name_hash: Buffer;
  /** Sealed part `template`. */
  readonly about: string;
  readonly created_at: Date;
}

export interface VersionRow {
  readonly id: string;
  readonly template_id: string;
  readonly tag_hash: Buffer;
  /** Sealed part `template-version`. */
  readonly about: string;
  /** Sealed part `template-content`. */
  readonly content: string;
  readonly active: boolean;
  readonly created_at: Date;
}

/** What a message renders: none of `version`, where there is no such version. */
export interface Sendable {
  readonly version: string | null;
  readonly content: string | null;
  readonly about: string | null;
}

export type VersionAbout = Omit<VersionRow, 'content'>;

const ABOUT = 'id, template_id, tag_hash, about, active, created_at';

/** Templates by their keyed hashes. What changes a template or its versions has the template's row to itself meanwhile. */
@Injectable()
export class TemplatesRepository {
  constructor(private readonly database: Database) {}

  all(domainId: string): Promise<TemplateRow[]> {
    return this.rows('SELECT * FROM template WHERE domain_id = $1', [domainId]);
  }

  async find(domainId: string, nameHash: Buffer): Promise<TemplateRow | undefined> {
    const [row] = await this.rows<TemplateRow>('SELECT * FROM template WHERE domain_id = $1 AND name_hash = $2', [
      domainId,
      nameHash,
    ]);
    return row;
  }

  versions(templateId: string): Promise<VersionAbout[]> {
    return this.rows(`SELECT ${ABOUT} FROM template_version WHERE template_id = $1`, [templateId]);
  }

  /** The versions of these tags, or the active ones; of each template at most one. */
  activeOf(templateIds: readonly string[]): Promise<VersionRow[]> {
    return this.rows('SELECT * FROM template_version WHERE active AND template_id = ANY($1::uuid[])', [templateIds]);
  }

  async version(templateId: string, tagHash: Buffer): Promise<VersionRow | undefined> {
    const [row] = await this.rows<VersionRow>(
      'SELECT * FROM template_version WHERE template_id = $1 AND tag_hash = $2',
      [templateId, tagHash],
    );
    return row;
  }

  /** For a message: the version of that tag, or the active one. Undefined where there is no template of that name. */
  async sendable(domainId: string, nameHash: Buffer, tagHash: Buffer | undefined): Promise<Sendable | undefined> {
    const { rows } = await this.database.pool.query<Sendable>({
      name: 'template-sendable',
      text: `SELECT v.id AS version, v.content, v.about FROM template t LEFT JOIN template_version v
               ON v.template_id = t.id AND (CASE WHEN $3::bytea IS NULL THEN v.active ELSE v.tag_hash = $3 END)
              WHERE t.domain_id = $1 AND t.name_hash = $2`,
      values: [domainId, nameHash, tagHash ?? null],
    });
    return rows[0];
  }

  /** Both or none. `full`: the domain has as many as it may; `taken`: one of this name. */
  insert(template: TemplateRow, version: VersionRow | undefined, most: number): Promise<'stored' | 'full' | 'taken'> {
    return this.database.withClientTransaction(async (client) => {
      // Who adds to the same domain waits: nobody counts what another is about to add.
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`templates/${template.domain_id}`]);
      const { rows } = await client.query<{ taken: boolean; full: boolean }>(
        `SELECT coalesce(bool_or(name_hash = $2), false) AS taken, count(*) >= $3 AS full
           FROM template WHERE domain_id = $1`,
        [template.domain_id, template.name_hash, most],
      );
      if (rows[0]?.taken) return 'taken';
      if (rows[0]?.full) return 'full';
      await client.query(
        `INSERT INTO template (id, account_id, domain_id, name_hash, about, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
        [template.id, template.account_id, template.domain_id, template.name_hash, template.about, template.created_at],
      );
      if (version) await insertVersion(client, version);
      return 'stored';
    });
  }

  async update(id: string, about: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query('UPDATE template SET about = $2 WHERE id = $1', [id, about]);
    return rowCount === 1;
  }

  /** With its versions. */
  async remove(id: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query('DELETE FROM template WHERE id = $1', [id]);
    return rowCount === 1;
  }

  async removeAll(domainId: string): Promise<number> {
    const { rowCount } = await this.database.pool.query('DELETE FROM template WHERE domain_id = $1', [domainId]);
    return rowCount ?? 0;
  }

  /** The first one is active, whatever it says. `gone`: the template is not there any more. */
  insertVersion(version: VersionRow): Promise<'stored' | 'full' | 'taken' | 'gone'> {
    return this.alone(version.template_id, 'gone' as const, async (client) => {
      const { rows } = await client.query<{ taken: boolean; count: number }>(
        `SELECT coalesce(bool_or(tag_hash = $2), false) AS taken, count(*)::int AS count
           FROM template_version WHERE template_id = $1`,
        [version.template_id, version.tag_hash],
      );
      const { taken = false, count = 0 } = rows[0] ?? {};
      if (taken) return 'taken';
      if (count >= MOST_VERSIONS) return 'full';
      if (version.active) await deactivate(client, version.template_id);
      await insertVersion(client, { ...version, active: version.active || count === 0 });
      return 'stored';
    });
  }

  /** `active` makes it the active one; what was active stays so until another is. */
  updateVersion({ id, template_id: templateId, about, content, active }: VersionRow): Promise<boolean> {
    return this.alone(templateId, false, async (client) => {
      if (active) await deactivate(client, templateId);
      const { rowCount } = await client.query(
        'UPDATE template_version SET about = $2, content = $3, active = active OR $4 WHERE id = $1',
        [id, about, content, active],
      );
      return rowCount === 1;
    });
  }

  /** In place of the active one comes the newest of the others. */
  removeVersion({ id, template_id: templateId }: VersionAbout): Promise<boolean> {
    return this.alone(templateId, false, async (client) => {
      const { rows } = await client.query<{ active: boolean }>(
        'DELETE FROM template_version WHERE id = $1 RETURNING active',
        [id],
      );
      if (rows[0]?.active) {
        await client.query(
          `UPDATE template_version SET active = true WHERE id = (
             SELECT id FROM template_version WHERE template_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1)`,
          [templateId],
        );
      }
      return rows.length === 1;
    });
  }

  /** Domains that have templates; not those that got their first this moment. */
  async domains(): Promise<string[]> {
    const rows = await this.rows<{ domain_id: string }>(
      `SELECT domain_id FROM template GROUP BY domain_id HAVING min(created_at) < now() - ${SETTLED}`,
      [],
    );
    return rows.map(({ domain_id: id }) => id);
  }

  private async rows<R extends object>(sql: string, values: readonly unknown[]): Promise<R[]> {
    const { rows } = await this.database.pool.query(sql, [...values]);
    return rows as R[];
  }

  private alone<T>(templateId: string, gone: T, work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.database.withClientTransaction(async (client) => {
      const { rowCount } = await client.query('SELECT FROM template WHERE id = $1 FOR UPDATE', [templateId]);
      return rowCount === 0 ? gone : work(client);
    });
  }
}

async function insertVersion(client: PoolClient, version: VersionRow): Promise<void> {
  await client.query(
    `INSERT INTO template_version (id, template_id, tag_hash, about, content, active, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      version.id,
      version.template_id,
      version.tag_hash,
      version.about,
      version.content,
      version.active,
      version.created_at,
    ],
  );
}

async function deactivate(client: PoolClient, templateId: string): Promise<void> {
  await client.query('UPDATE template_version SET active = false WHERE template_id = $1 AND active', [templateId]);
}
