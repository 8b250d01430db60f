import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How many recipients an account and each of its domains sent to, by day. Several rows a day, so that commits of the same account
 * that run at the same time do not wait for each other.
 */
export class SentCount1764700000001 implements MigrationInterface {
  readonly name = 'SentCount1764700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sent_count (
        scope_id uuid NOT NULL,
        day timestamptz NOT NULL,
        slot smallint NOT NULL,
        recipients bigint NOT NULL,
        CONSTRAINT pk_sent_count PRIMARY KEY (scope_id, day, slot)
      ) WITH (fillfactor = 50)`);
    await runner.query('CREATE INDEX ix_sent_count_day ON sent_count (day)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sent_count');
  }
}
