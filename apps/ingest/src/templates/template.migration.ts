import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Templates and their versions. What a customer typed is sealed, names and tags too; they are found by keyed hashes. What a version
 * says about itself lies apart from its content: a list opens forty of the former and none of the latter.
 */
export class Templates1764800000000 implements MigrationInterface {
  readonly name = 'Templates1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE template (
        id uuid CONSTRAINT pk_template PRIMARY KEY,
        account_id uuid NOT NULL,
        domain_id uuid NOT NULL,
        name_hash bytea NOT NULL,
        about text NOT NULL,
        created_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE UNIQUE INDEX ix_template_name ON template (domain_id, name_hash)');
    await runner.query(`
      CREATE TABLE template_version (
        id uuid CONSTRAINT pk_template_version PRIMARY KEY,
        template_id uuid NOT NULL CONSTRAINT fk_template_version_template REFERENCES template (id) ON DELETE CASCADE,
        tag_hash bytea NOT NULL,
        about text NOT NULL,
        content text NOT NULL,
        active boolean NOT NULL,
        created_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE UNIQUE INDEX ix_template_version_tag ON template_version (template_id, tag_hash)');
    await runner.query('CREATE UNIQUE INDEX ix_template_version_active ON template_version (template_id) WHERE active');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE template_version');
    await runner.query('DROP TABLE template');
  }
}
