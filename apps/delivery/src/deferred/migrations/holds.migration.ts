import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pauses and cancellations, and what they need of the queue: whose domain's mail a row is, and which pause it waits for. Few rows
 * wait for a pause, so their index is partial. It rewrites the queue under one lock, and processes of before can defer nothing
 * after it: they are stopped first (README, Upgrading).
 */
export class Holds1764400000000 implements MigrationInterface {
  name = 'Holds1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table hold (
        id uuid not null,
        kind text not null,
        scope text not null,
        target text not null,
        at timestamptz not null,
        until timestamptz,
        constraint hold_pkey primary key (id),
        constraint hold_key unique (kind, scope, target)
      )`);
    await runner.query('alter table deferred add column domain_id uuid, add column paused_by uuid');
    await runner.query(`update deferred set domain_id = (record::json ->> 'domainId')::uuid`);
    await runner.query('alter table deferred alter column domain_id set not null');
    await runner.query('create index deferred_paused on deferred (paused_by) where paused_by is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table deferred drop column domain_id, drop column paused_by');
    await runner.query('drop table hold');
  }
}
