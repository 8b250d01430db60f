import { Client, escapeIdentifier } from 'pg';
import { makeAhead } from './partitions.ts';

/**
 * `storage external`: what is sealed does not compress. Partitions are made beside the table and attached, so that readers
 * are never locked out; a partition holds one drop time and is dropped at it. Dropping locks readers out for a moment, so
 * it waits for a tenth of a second at most: whoever comes meanwhile waits no longer than that, and the next round tries again.
 */
const SCHEMA = `
create schema if not exists bodies;

create table if not exists bodies.body (
  drop_at timestamptz not null,
  message_id uuid not null,
  seq integer not null,
  segments integer not null,
  bytes bytea storage external not null,
  primary key (drop_at, message_id, seq)
) partition by range (drop_at);

create or replace function bodies.ensure_partition(starts timestamptz, width interval) returns void language plpgsql as $$
declare
  part text := 'body_' || to_char(starts at time zone 'UTC', 'YYYYMMDDHH24');
begin
  if date_bin(width, starts, 'epoch'::timestamptz) <> starts then
    raise exception 'A drop time must be on the bucket grid' using errcode = '22023';
  end if;
  if to_regclass('bodies.' || part) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('bodies partitions'));
  -- After the wait, to_regclass may still answer from the cache what it saw before; a query does not.
  if exists (select from pg_catalog.pg_class where relnamespace = 'bodies'::regnamespace and relname = part) then
    return;
  end if;
  execute format('create table bodies.%I (like bodies.body including all)', part);
  execute format('alter table bodies.%I alter column bytes set statistics 0', part);
  execute format('alter table bodies.body attach partition bodies.%I for values from (%L) to (%L)',
    part, starts, starts + width);
end $$;

-- For all that is accepted within the next two buckets; what would be due already is not made, or it would be dropped at once.
create or replace function bodies.make_ahead(width interval, max_age interval) returns void language sql as $$
  select bodies.ensure_partition(date_bin(width, at, 'epoch'::timestamptz), width)
  from generate_series(now() + width, now() + max_age + width, width) at
$$;

-- Drops the oldest partition whose drop time has come; false if there is none.
create or replace function bodies.drop_due() returns boolean language plpgsql set lock_timeout = '100ms' as $$
declare
  part text;
begin
  select c.relname into part
  from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'bodies.body'::regclass
    -- The condition on the name may be looked at first, for every relation there is.
    and case when c.relname ~ '^body_[0-9]{10}$'
      then to_timestamp(right(c.relname, 10) || '+00', 'YYYYMMDDHH24TZH') <= now() end
  order by c.relname limit 1;
  if part is null then return false; end if;
  -- Another replica may be faster.
  execute format('drop table if exists bodies.%I', part);
  return true;
end $$;

revoke all on schema bodies from public;
revoke all on all functions in schema bodies from public;
`;

export interface MigrateBodiesOptions {
  /** Role that reads and shreds, and can do nothing else here. Default `delivery`; it must exist. */
  reader?: string;
}

/**
 * Brings the body store to this version and makes partitions ahead for all that is accepted within the next two buckets.
 * `url`: the database of `ingest`, as its owner. Safe to run at each start and from several processes at once.
 */
export async function migrateBodies(url: string, options: MigrateBodiesOptions = {}): Promise<void> {
  const reader = escapeIdentifier(options.reader ?? 'delivery');
  const client = new Client({ connectionString: url, application_name: 'lethe-bodies-migrate' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('lethe bodies migrations'))`);
    await client.query(SCHEMA);
    // On the parent alone, which is enough; whatever else the reader was given before is taken away.
    await client.query(`
      alter default privileges in schema bodies revoke all on tables from ${reader};
      revoke all on all tables in schema bodies from ${reader};
      grant usage on schema bodies to ${reader};
      grant select, delete on bodies.body to ${reader}`);
    await makeAhead(client);
    await client.query('commit');
  } finally {
    // Ending the connection rolls an unfinished transaction back.
    await client.end();
  }
}
