import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Content keys of messages that have to be gone, until their drop time: ids alone. */
export class ReleasedKeys1764200400000 implements MigrationInterface {
  readonly name = 'ReleasedKeys1764200400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE released_key (
        drop_at timestamptz NOT NULL,
        message_id uuid NOT NULL,
        released_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT released_key_pk PRIMARY KEY (drop_at, message_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE released_key');
  }
}
