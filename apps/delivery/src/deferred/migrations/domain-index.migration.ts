import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Giving up a domain's mail finds its rows by this, page by page. It is built while mail goes on being deferred. */
export class DomainIndex1764500000000 implements MigrationInterface {
  readonly name = 'DomainIndex1764500000000';
  /** `concurrently` takes no transaction. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // What is left of a build that was broken off is invalid.
    await runner.query('drop index concurrently if exists deferred_domain');
    await runner.query('create index concurrently deferred_domain on deferred (domain_id, next_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index concurrently deferred_domain');
  }
}
