import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much left our new addresses on which day, by provider. */
export class WarmUp1764500200000 implements MigrationInterface {
  name = 'WarmUp1764500200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table warm_up (
        address text not null,
        provider text not null,
        day date not null,
        sent integer not null,
        constraint warm_up_pkey primary key (address, provider, day)
      ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table warm_up');
  }
}
