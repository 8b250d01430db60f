import { Database } from '@lethe/database';
import { Injectable } from '@nestjs/common';
import type { Source, SourceReadings, StoredReading } from './reading.ts';

interface Row {
  source: Source;
  measured_at: Date;
  store: string | null;
  service: string;
  class: string;
  limit_seconds: number;
  oldest_at: Date | null;
}

/** The latest answer of each source; an answer replaces the one before it as a whole. */
@Injectable()
export class ReadingRepository {
  constructor(private readonly database: Database) {}

  /** @returns false if a later answer is there already. */
  async save(source: Source, measuredAt: Date, readings: readonly StoredReading[]): Promise<boolean> {
    return this.database.withClientTransaction(async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO retention_source (source, measured_at) VALUES ($1, $2)
         ON CONFLICT (source) DO UPDATE SET measured_at = excluded.measured_at
         WHERE retention_source.measured_at <= excluded.measured_at`,
        [source, measuredAt],
      );
      if (rowCount !== 1) return false;
      await client.query('DELETE FROM retention_reading WHERE source = $1', [source]);
      await client.query(
        `INSERT INTO retention_reading (source, store, service, class, limit_seconds, oldest_at)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::timestamptz[])
         ON CONFLICT DO NOTHING`,
        [
          source,
          readings.map(({ store }) => store),
          readings.map(({ service }) => service),
          readings.map(({ class: name }) => name),
          readings.map(({ limitSeconds }) => limitSeconds),
          readings.map(({ oldestAt }) => oldestAt),
        ],
      );
      return true;
    });
  }

  async all(): Promise<SourceReadings[]> {
    const { rows } = await this.database.pool.query<Row>(
      `SELECT s.source, s.measured_at, r.store, r.service, r.class, r.limit_seconds, r.oldest_at
       FROM retention_source s LEFT JOIN retention_reading r USING (source) ORDER BY s.source, r.store, r.class`,
    );
    const bySource = Map.groupBy(rows, ({ source }) => source);
    return [...bySource].map(([source, of]) => ({
      source,
      measuredAt: of[0]?.measured_at ?? null,
      readings: of.flatMap((row) => (row.store === null ? [] : [stored(row, row.store)])),
    }));
  }
}

const stored = (row: Row, store: string): StoredReading => ({
  store,
  service: row.service,
  class: row.class,
  limitSeconds: row.limit_seconds,
  oldestAt: row.oldest_at,
});
