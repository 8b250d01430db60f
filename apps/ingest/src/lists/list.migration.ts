import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Mailing lists and who is on them. `address_hash` is a keyed hash: whoever asks for a list has its address, and nobody reads it
 * here. `seq` is the order of pages: it says nothing of anybody. A list that is removed is gone for everybody at once; its members
 * follow in steps.
 */
export class Lists1764600000000 implements MigrationInterface {
  readonly name = 'Lists1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mailing_list (
        id uuid CONSTRAINT pk_mailing_list PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        account_id uuid NOT NULL,
        domain_id uuid NOT NULL,
        address_hash bytea NOT NULL,
        sealed text NOT NULL,
        access_level text NOT NULL,
        reply_preference text NOT NULL,
        members_count integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        removed boolean NOT NULL DEFAULT false
      )`);
    await runner.query(
      'CREATE UNIQUE INDEX ix_mailing_list_address ON mailing_list (domain_id, address_hash) WHERE NOT removed',
    );
    await runner.query('CREATE UNIQUE INDEX ix_mailing_list_page ON mailing_list (account_id, seq) WHERE NOT removed');
    await runner.query('CREATE INDEX ix_mailing_list_removed ON mailing_list (id) WHERE removed');
    await runner.query(`
      CREATE TABLE mailing_list_member (
        list_id uuid NOT NULL CONSTRAINT fk_mailing_list_member_list REFERENCES mailing_list (id),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        subject_id uuid NOT NULL,
        subscribed boolean NOT NULL,
        sealed text NOT NULL,
        CONSTRAINT pk_mailing_list_member PRIMARY KEY (list_id, subject_id)
      )`);
    await runner.query('CREATE UNIQUE INDEX ix_mailing_list_member_page ON mailing_list_member (list_id, seq)');
    await runner.query('CREATE INDEX ix_mailing_list_member_subject_id ON mailing_list_member (subject_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE mailing_list_member');
    await runner.query('DROP TABLE mailing_list');
  }
}
