import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Subaccounts1764352800000 implements MigrationInterface {
  readonly name = 'Subaccounts1764352800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE account
        ADD parent_id uuid CONSTRAINT account_parent_fk REFERENCES account ON DELETE RESTRICT,
        ADD name text,
        ADD disabled boolean NOT NULL DEFAULT false`);
    await runner.query('CREATE INDEX account_parent_idx ON account (parent_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account DROP parent_id, DROP name, DROP disabled');
  }
}
