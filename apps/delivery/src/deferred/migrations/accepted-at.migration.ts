import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row's age: without it neither its limit nor a reading of the oldest could be told. */
export class AcceptedAt1764000000001 implements MigrationInterface {
  name = 'AcceptedAt1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table deferred add column accepted_at timestamptz');
    await runner.query(
      `update deferred set accepted_at = to_timestamp((record::json ->> 'acceptedAt')::float8 / 1000.0)`,
    );
    await runner.query('alter table deferred alter column accepted_at set not null');
    await runner.query('create index deferred_accepted on deferred (accepted_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table deferred drop column accepted_at');
  }
}
