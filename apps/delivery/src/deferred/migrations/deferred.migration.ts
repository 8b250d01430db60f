import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows come and go quickly: room on each page for updates without touching the index, and early clean-up. */
export class Deferred1764000000000 implements MigrationInterface {
  name = 'Deferred1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table deferred (
        message_id uuid not null,
        ordinal integer not null,
        partition smallint not null,
        attempt integer not null,
        record text not null,
        next_at timestamptz not null,
        lease_until timestamptz,
        lease_owner uuid,
        started boolean not null default false,
        maybe_duplicate boolean not null default false,
        constraint deferred_pkey primary key (message_id, ordinal)
      ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`);
    await runner.query('create index deferred_due on deferred (next_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table deferred');
  }
}
