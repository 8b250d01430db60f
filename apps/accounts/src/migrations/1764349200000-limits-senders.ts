import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LimitsSenders1764349200000 implements MigrationInterface {
  readonly name = 'LimitsSenders1764349200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE account ADD day_limit integer, ADD month_limit integer, ADD own_month_limit integer,
        ADD allowed_senders text`);
    await runner.query('ALTER TABLE domain ADD day_limit integer, ADD month_limit integer, ADD allowed_senders text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain DROP day_limit, DROP month_limit, DROP allowed_senders');
    await runner.query(
      'ALTER TABLE account DROP day_limit, DROP month_limit, DROP own_month_limit, DROP allowed_senders',
    );
  }
}
