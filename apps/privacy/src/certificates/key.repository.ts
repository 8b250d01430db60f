import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import type { KnownKey } from './certificate.jws.ts';
import type { SigningKey } from './signing-key.ts';

interface Row {
  kid: string;
  public_key: string;
  valid_from: Date;
  retired_at: Date | null;
}

/** Every key that ever signed, so that its certificates verify after it was replaced. */
@Injectable()
export class KeyRepository {
  constructor(private readonly database: Database) {}

  /**
   * Makes `key` the one that signs from `at` on, and retires the one before. What is retired stays so: a key that came back
   * would have two times of validity.
   * @returns false if it was retired before.
   */
  async enrol({ kid, x }: Pick<SigningKey, 'kid' | 'x'>, at: Date): Promise<boolean> {
    return this.database.withClientTransaction(async (client) => {
      // Replicas that start together.
      await client.query('LOCK TABLE certificate_key IN SHARE ROW EXCLUSIVE MODE');
      const { rows } = await client.query<Row>('SELECT * FROM certificate_key WHERE kid = $1', [kid]);
      if (rows[0] !== undefined) return rows[0].retired_at === null;
      await client.query('UPDATE certificate_key SET retired_at = $1 WHERE retired_at IS NULL', [at]);
      await client.query('INSERT INTO certificate_key (kid, public_key, valid_from) VALUES ($1, $2, $3)', [kid, x, at]);
      return true;
    });
  }

  async find(kid: string): Promise<KnownKey | undefined> {
    const { rows } = await this.database.pool.query<Row>('SELECT * FROM certificate_key WHERE kid = $1', [kid]);
    return rows.map(known)[0];
  }

  /** The one that signs first. */
  async all(): Promise<KnownKey[]> {
    const { rows } = await this.database.pool.query<Row>('SELECT * FROM certificate_key ORDER BY valid_from DESC, kid');
    return rows.map(known);
  }
}

const known = ({ kid, public_key: x, valid_from: validFrom, retired_at: retiredAt }: Row): KnownKey => ({
  kid,
  x,
  validFrom,
  retiredAt,
});
