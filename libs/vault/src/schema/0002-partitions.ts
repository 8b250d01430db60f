/**
 * Partitions are made ahead by whoever fills the one before, and on demand; the check is one catalog look-up. They are
 * made beside the parent and attached, because CREATE … PARTITION OF would lock all readers of the parent out.
 */
export const partitions = `
-- ANALYZE fills pg_statistic for a partitioned parent too, from all its partitions.
create function vault.hide_statistics(relation regclass) returns void language plpgsql as $$
declare
  col name;
begin
  for col in select attname from pg_catalog.pg_attribute where attrelid = relation and attnum > 0 loop
    execute format('alter table %s alter column %I set statistics 0', relation, col);
  end loop;
end $$;

select vault.hide_statistics(oid) from pg_class
where relnamespace = 'vault'::regnamespace and relkind in ('r', 'p')
  and relname ~ '^(account|subject_name|subject_secret|period_secret|content_key)';

-- After waiting for the lock, to_regclass may still answer from the cache what it saw before; a query does not.
create function vault.has_table(wanted text) returns boolean language sql as $$
  select exists (select from pg_catalog.pg_class where relnamespace = 'vault'::regnamespace and relname = wanted)
$$;

create function vault.ensure_week(first_day date) returns void language plpgsql as $$
declare
  part text := 'subject_secret_' || to_char(first_day, 'YYYYMMDD');
begin
  if to_regclass('vault.' || part) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('vault partitions'));
  if vault.has_table(part) then return; end if;
  execute format('create table vault.%I (like vault.subject_secret including all) partition by hash (subject_id)', part);
  perform vault.hide_statistics(format('vault.%I', part)::regclass);
  for remainder in 0..7 loop
    execute format('create table vault.%I partition of vault.%I for values with (modulus 8, remainder %s)',
      part || '_' || remainder, part, remainder);
    perform vault.hide_statistics(format('vault.%I', part || '_' || remainder)::regclass);
  end loop;
  execute format('alter table vault.subject_secret attach partition vault.%I for values from (%L) to (%L)',
    part, first_day, first_day + 7);
end $$;

create function vault.ensure_drop_bucket(starts timestamptz) returns void language plpgsql as $$
declare
  width interval := (select bucket from vault.retention where class = 'body');
  part text := 'content_key_' || to_char(starts at time zone 'UTC', 'YYYYMMDDHH24');
begin
  if to_regclass('vault.' || part) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('vault partitions'));
  if vault.has_table(part) then return; end if;
  execute format('create table vault.%I (like vault.content_key including all)', part);
  perform vault.hide_statistics(format('vault.%I', part)::regclass);
  execute format('alter table vault.content_key attach partition vault.%I for values from (%L) to (%L)',
    part, starts, starts + width);
end $$;

-- Called by each migration, hence at each start of the platform.
create function vault.prepare() returns void language plpgsql as $$
declare
  today date := (now() at time zone 'UTC')::date;
  kept vault.retention := (select r from vault.retention r where class = 'body');
begin
  perform vault.ensure_week(date_trunc('week', today + 7 * n)::date) from generate_series(0, 1) n;
  perform vault.ensure_drop_bucket(date_bin(kept.bucket, at, 'epoch'::timestamptz))
    from generate_series(now(), now() + kept.max_age + kept.bucket, kept.bucket) at;
end $$;
`;
