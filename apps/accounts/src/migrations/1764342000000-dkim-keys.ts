import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A domain's one key becomes the first of its keys. Its id is the domain's: unique, and older than any key to come. */
export class DkimKeys1764342000000 implements MigrationInterface {
  readonly name = 'DkimKeys1764342000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE dkim_key (
        id uuid CONSTRAINT dkim_key_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT dkim_key_account_fk REFERENCES account ON DELETE CASCADE,
        domain_id uuid NOT NULL CONSTRAINT dkim_key_domain_fk REFERENCES domain ON DELETE CASCADE,
        selector text NOT NULL,
        algorithm text NOT NULL,
        public_key text NOT NULL,
        private_key text NOT NULL,
        dns_check text NOT NULL DEFAULT 'unknown',
        active boolean NOT NULL DEFAULT false,
        activated_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT dkim_key_selector_key UNIQUE (domain_id, selector)
      )`);
    await runner.query('CREATE INDEX dkim_key_account_idx ON dkim_key (account_id)');
    await runner.query(`
      INSERT INTO dkim_key (id, account_id, domain_id, selector, algorithm, public_key, private_key, dns_check, active, activated_at, created_at)
      SELECT id, account_id, id, dkim_selector, 'rsa', dkim_public_key, dkim_private_key, dkim_check, true, created_at, created_at
      FROM domain`);
    await runner.query(`
      ALTER TABLE domain DROP dkim_selector, DROP dkim_public_key, DROP dkim_private_key, DROP dkim_check`);
  }

  /** Only the key that signs goes back: there is room for one. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE domain
        ADD dkim_selector text, ADD dkim_public_key text, ADD dkim_private_key text,
        ADD dkim_check text NOT NULL DEFAULT 'unknown'`);
    await runner.query(`
      UPDATE domain SET dkim_selector = k.selector, dkim_public_key = k.public_key, dkim_private_key = k.private_key,
        dkim_check = k.dns_check
      FROM (SELECT DISTINCT ON (domain_id) * FROM dkim_key WHERE active AND algorithm = 'rsa' ORDER BY domain_id, activated_at DESC, id DESC) k
      WHERE k.domain_id = domain.id`);
    await runner.query(`
      ALTER TABLE domain
        ALTER dkim_selector SET NOT NULL, ALTER dkim_public_key SET NOT NULL, ALTER dkim_private_key SET NOT NULL`);
    await runner.query('DROP TABLE dkim_key');
  }
}
