import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Senders and reply-to in a table of their own: an erasure finds them by an index that costs an accept a few microseconds,
 * and takes a large sender's out in small steps without rewriting a message. (A GIN index on the JSON costs less to fill, but a
 * thousand look-ups through its pending list took 40 s.) What is past its time is found by an index, too.
 */
export class Related1764000000002 implements MigrationInterface {
  readonly name = 'Related1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE message_related (
        message_id uuid NOT NULL,
        ordinal integer NOT NULL,
        subject_id uuid NOT NULL,
        role text NOT NULL,
        person text NOT NULL,
        CONSTRAINT pk_message_related PRIMARY KEY (message_id, ordinal)
      )`);
    await runner.query(`
      INSERT INTO message_related (message_id, ordinal, subject_id, role, person)
      SELECT id, nth - 1, (one ->> 'subject')::uuid, one ->> 'role', one ->> 'person'
        FROM message, jsonb_array_elements(related) WITH ORDINALITY AS each(one, nth)`);
    await runner.query('CREATE INDEX ix_message_related_subject_id ON message_related (subject_id)');
    await runner.query('ALTER TABLE message DROP COLUMN related');
    await runner.query('DROP INDEX ix_message_accepted_at');
    await runner.query('CREATE INDEX ix_message_accepted_at ON message (accepted_at)');
    await runner.query('CREATE INDEX ix_message_drop_at ON message (drop_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_message_drop_at');
    await runner.query('DROP INDEX ix_message_accepted_at');
    await runner.query('CREATE INDEX ix_message_accepted_at ON message USING brin (accepted_at)');
    await runner.query(`ALTER TABLE message ADD COLUMN related jsonb NOT NULL DEFAULT '[]'`);
    await runner.query(`
      UPDATE message SET related = each.related FROM (
        SELECT message_id, jsonb_agg(jsonb_build_object('role', role, 'subject', subject_id, 'person', person) ORDER BY ordinal)
          AS related FROM message_related GROUP BY message_id) each WHERE each.message_id = id`);
    await runner.query('DROP TABLE message_related');
  }
}
