import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How long an account keeps things where its domains say nothing. What a domain had chosen for bodies stays its own. */
export class Retention1764471600000 implements MigrationInterface {
  readonly name = 'Retention1764471600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE account
        ADD bodies_days smallint NOT NULL DEFAULT 7,
        ADD events_days smallint NOT NULL DEFAULT 30`);
    await runner.query(`
      ALTER TABLE domain
        ADD own_bodies_days boolean NOT NULL DEFAULT false,
        ADD own_events_days boolean NOT NULL DEFAULT false`);
    await runner.query('UPDATE domain SET own_bodies_days = bodies_days <> 7, own_events_days = events_days <> 30');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain DROP own_bodies_days, DROP own_events_days');
    await runner.query('ALTER TABLE account DROP bodies_days, DROP events_days');
  }
}
