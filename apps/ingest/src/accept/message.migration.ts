import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages and their recipients: ids, times and seals. Nothing here is personal in clear. */
export class Messages1764000000000 implements MigrationInterface {
  readonly name = 'Messages1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE message (
        id uuid CONSTRAINT pk_message PRIMARY KEY,
        account_id uuid NOT NULL,
        domain_id uuid NOT NULL,
        key_id uuid NOT NULL,
        accepted_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        drop_at timestamptz NOT NULL,
        event_class text NOT NULL,
        method text NOT NULL,
        size integer NOT NULL,
        test_mode boolean NOT NULL,
        related jsonb NOT NULL
      )`);
    await runner.query('CREATE INDEX ix_message_accepted_at ON message USING brin (accepted_at)');
    await runner.query(`
      CREATE TABLE message_recipient (
        message_id uuid NOT NULL,
        ordinal integer NOT NULL,
        subject_id uuid NOT NULL,
        role text NOT NULL,
        envelope text NOT NULL,
        CONSTRAINT pk_message_recipient PRIMARY KEY (message_id, ordinal)
      )`);
    await runner.query('CREATE INDEX ix_message_recipient_subject_id ON message_recipient (subject_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE message_recipient');
    await runner.query('DROP TABLE message');
  }
}
