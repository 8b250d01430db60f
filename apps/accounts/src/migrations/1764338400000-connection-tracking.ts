import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ConnectionTracking1764338400000 implements MigrationInterface {
  readonly name = 'ConnectionTracking1764338400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE domain
        ADD require_tls boolean NOT NULL DEFAULT false,
        ADD skip_verification boolean NOT NULL DEFAULT false,
        ADD open_tracking boolean NOT NULL DEFAULT false,
        ADD open_tracking_top boolean NOT NULL DEFAULT false,
        ADD click_tracking text NOT NULL DEFAULT 'no',
        ADD unsubscribe_tracking boolean NOT NULL DEFAULT false,
        ADD unsubscribe_footer text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE domain
        DROP require_tls, DROP skip_verification, DROP open_tracking, DROP open_tracking_top, DROP click_tracking,
        DROP unsubscribe_tracking, DROP unsubscribe_footer`);
  }
}
