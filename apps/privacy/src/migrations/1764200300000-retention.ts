import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last measurement of every store's oldest record. */
export class Retention1764200300000 implements MigrationInterface {
  readonly name = 'Retention1764200300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE retention_source (
        source text CONSTRAINT retention_source_pk PRIMARY KEY,
        measured_at timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE retention_reading (
        source text NOT NULL CONSTRAINT retention_reading_source_fk REFERENCES retention_source ON DELETE CASCADE,
        store text NOT NULL,
        service text NOT NULL,
        class text NOT NULL,
        limit_seconds double precision NOT NULL,
        oldest_at timestamptz,
        CONSTRAINT retention_reading_pk PRIMARY KEY (source, store, class)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE retention_reading');
    await runner.query('DROP TABLE retention_source');
  }
}
