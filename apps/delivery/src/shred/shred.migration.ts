import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages that are shredded after their last recipient: which of them have ended, a bit each. The index holds those that are through. */
export class Shred1764300000000 implements MigrationInterface {
  name = 'Shred1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table shred (
        message_id uuid not null,
        drop_at timestamptz not null,
        ended bit varying not null,
        noted_at timestamptz not null default now(),
        constraint shred_pkey primary key (message_id)
      ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`);
    await runner.query('create index shred_through on shred (message_id) where bit_count(ended) = length(ended)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table shred');
  }
}
