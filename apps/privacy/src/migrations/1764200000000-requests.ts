import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests of controllers, whom they are about, and what each holder answered. No address is ever written here. */
export class Requests1764200000000 implements MigrationInterface {
  readonly name = 'Requests1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE request (
        id uuid CONSTRAINT request_pk PRIMARY KEY,
        account_id uuid NOT NULL,
        type text NOT NULL,
        state text NOT NULL CONSTRAINT request_state_check CHECK
          (state IN ('received', 'identified', 'executing', 'verifying', 'completed', 'cancelled', 'refused')),
        stage text NOT NULL,
        subjects integer NOT NULL,
        do_not_contact text NOT NULL,
        override_reason text,
        reference text,
        reference_hash bytea,
        received_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        cut_off timestamptz,
        barrier jsonb,
        ledger_position bigint,
        unreadable_at timestamptz,
        expunged_at timestamptz,
        kept jsonb NOT NULL DEFAULT '[]',
        completed_at timestamptz,
        certificate text
      )`);
    await runner.query('CREATE INDEX request_account_idx ON request (account_id, id)');
    await runner.query('CREATE INDEX request_reference_idx ON request (account_id, reference_hash)');
    await runner.query(`CREATE INDEX request_open_idx ON request (id) WHERE stage <> 'done'`);

    await runner.query(`
      CREATE TABLE request_subject (
        request_id uuid NOT NULL CONSTRAINT request_subject_request_fk REFERENCES request ON DELETE CASCADE,
        subject integer NOT NULL,
        identifier integer NOT NULL,
        digest bytea NOT NULL,
        pseudonym bytea,
        subject_ids uuid[] NOT NULL DEFAULT '{}',
        CONSTRAINT request_subject_pk PRIMARY KEY (request_id, subject, identifier)
      )`);
    await runner.query('CREATE INDEX request_subject_ids_idx ON request_subject USING gin (subject_ids)');

    await runner.query(`
      CREATE TABLE request_history (
        request_id uuid NOT NULL CONSTRAINT request_history_request_fk REFERENCES request ON DELETE CASCADE,
        state text NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        CONSTRAINT request_history_pk PRIMARY KEY (request_id, state)
      )`);

    await runner.query(`
      CREATE TABLE holder_answer (
        request_id uuid NOT NULL CONSTRAINT holder_answer_request_fk REFERENCES request ON DELETE CASCADE,
        service text NOT NULL,
        step text NOT NULL,
        first_attempt integer NOT NULL,
        attempts integer NOT NULL,
        ask_again_at timestamptz NOT NULL,
        acknowledged_at timestamptz,
        found jsonb NOT NULL DEFAULT '{}',
        removed jsonb NOT NULL DEFAULT '{}',
        residual jsonb NOT NULL DEFAULT '{}',
        expunged_at timestamptz,
        error text,
        CONSTRAINT holder_answer_pk PRIMARY KEY (request_id, service, step)
      )`);

    await runner.query(`
      CREATE TABLE in_flight_question (
        id uuid CONSTRAINT in_flight_question_pk PRIMARY KEY,
        asker text NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        ask_again_at timestamptz NOT NULL,
        messages uuid[] NOT NULL,
        drops timestamptz[] NOT NULL,
        in_flight uuid[],
        CONSTRAINT in_flight_question_drops_check CHECK (cardinality(messages) = cardinality(drops))
      )`);

    await runner.query('CREATE INDEX in_flight_question_asker_idx ON in_flight_question (asker)');

    await runner.query(`
      CREATE TABLE idempotency (
        account_id uuid NOT NULL,
        key_hash bytea NOT NULL,
        body_hash bytea NOT NULL,
        request_id uuid NOT NULL CONSTRAINT idempotency_request_fk REFERENCES request ON DELETE CASCADE,
        receipt text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT idempotency_pk PRIMARY KEY (account_id, key_hash)
      )`);
    await runner.query('CREATE INDEX idempotency_created_idx ON idempotency (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = [
      'idempotency',
      'in_flight_question',
      'holder_answer',
      'request_history',
      'request_subject',
      'request',
    ];
    for (const table of tables) await runner.query(`DROP TABLE ${table}`);
  }
}
