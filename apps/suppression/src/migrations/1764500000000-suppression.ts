import { OUTBOX_DOWN, OUTBOX_UP } from '@lethe/kafka';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Suppression1764500000000 implements MigrationInterface {
  readonly name = 'Suppression1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    // `scope_id`: the domain, or the account itself for do-not-contact. The key's order is that of the lists.
    await runner.query(`
      CREATE TABLE suppression (
        scope_id uuid NOT NULL,
        reason text NOT NULL
          CONSTRAINT suppression_reason CHECK (reason IN ('bounce', 'complaint', 'unsubscribe', 'do-not-contact')),
        pseudonym bytea NOT NULL,
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        subject_id uuid,
        sealed text,
        created_at timestamptz NOT NULL,
        CONSTRAINT suppression_pk PRIMARY KEY (scope_id, reason, pseudonym),
        CONSTRAINT suppression_person CHECK ((subject_id IS NULL) = (sealed IS NULL))
      )`);
    // Erasure finds people by their subject ids, and by their pseudonyms where they had an earlier id.
    await runner.query('CREATE INDEX suppression_subject_idx ON suppression (subject_id) WHERE subject_id IS NOT NULL');
    await runner.query('CREATE INDEX suppression_account_idx ON suppression (account_id, pseudonym)');
    await runner.query(OUTBOX_UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_DOWN);
    await runner.query('DROP TABLE suppression');
  }
}
