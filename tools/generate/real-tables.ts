import type { StoreDeclaration } from '@lethe/contracts';

/** A connection of `pg`. */
interface Connection {
  query<R extends object>(sql: string): Promise<{ rows: R[] }>;
}

/** A table as PostgreSQL has it. */
export interface RealTable {
  /** Schema and name. */
  readonly table: string;
  readonly columns: readonly string[];
}

/** Every table and materialized view of a database, without PostgreSQL's own; partitions belong to their parent. */
export async function realTables(client: Connection): Promise<RealTable[]> {
  const { rows } = await client.query<RealTable>(`
    SELECT n.nspname || '.' || c.relname AS "table",
           coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
     GROUP BY 1 ORDER BY 1`);
  return rows;
}

/** How declarations and a migrated database differ, in both directions: each a line that says what to do. */
export function differences(declared: readonly StoreDeclaration[], real: readonly RealTable[]): string[] {
  const said = new Map(declared.flatMap(({ table, columns }) => (table === undefined ? [] : [[table, columns]])));
  const made = new Map(real.map(({ table, columns }) => [table, columns]));
  return [
    ...[...made.keys()]
      .filter((table) => !said.has(table))
      .map((table) => `${table} is made by a migration and declared nowhere: add it to stores.ts of its service`),
    ...[...said].flatMap(([table, columns]) => {
      const there = made.get(table);
      if (!there) return [`${table} is declared and made by no migration: remove it from stores.ts`];
      return [
        ...there
          .filter((name) => !(name in columns))
          .map((name) => `${table}.${name} is not marked: add it to stores.ts`),
        ...Object.keys(columns)
          .filter((name) => !there.includes(name))
          .map((name) => `${table}.${name} is declared and not there: remove it from stores.ts`),
      ];
    }),
  ];
}
