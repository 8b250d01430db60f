import { DOOR } from './door.ts';

/**
 * What goes by itself on its day. Each call does a bounded part and answers how much; dropping a partition closes its parent for a
 * moment, so it waits a second for that at most and is asked again. Also done while the vault is closed: what is past its limit
 * in a restored vault is past it all the same.
 */
export const forgetting = `
create function vault.forget_periods() returns int ${DOOR} as $$
declare
  gone int;
begin
  with removed as (delete from vault.period_secret where forget_at <= now() returning tableoid),
    marked as (insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed)
  select count(*) into gone from removed;
  return gone;
end $$;

-- The oldest partition of content keys whose drop time has come; null if there is none. No trigger fires for its rows. Nobody reads or
-- makes any content key while the partition is dropped, so what takes as long as it is large is done before: it gets no rows any more.
create function vault.forget_drop_bucket() returns int ${DOOR} set lock_timeout = '1s' as $$
declare
  part record;
  later boolean;
  gone int;
begin
  for part in
    select c.oid::regclass as name from pg_class c
    where c.relnamespace = 'vault'::regnamespace and c.relkind = 'r' and c.relname ~ '^content_key_[0-9]{10}$'
      and to_timestamp(right(c.relname, 10) || '+00', 'YYYYMMDDHH24TZH') <= now()
    order by c.relname
  loop
    -- Of the highest drop time alone, by the index.
    execute format('select max(drop_at) > now() from %s', part.name) into later;
    if later then
      -- Only after the width of buckets was changed: a partition of the old width holds drop times of the new.
      with removed as (delete from vault.content_key k where k.drop_at <= now() and k.tableoid = part.name returning k.tableoid)
      insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
      continue;
    end if;
    execute format('select count(*) from %s', part.name) into gone;
    delete from vault.condemnation c where c.drop_at <= now();
    lock table vault.content_key in access exclusive mode;
    execute format('select max(drop_at) > now() from %s', part.name) into later;
    -- One of the old width, and somebody made a key there since: the next call sees it.
    if later then return 0; end if;
    execute format('drop table %s', part.name);
    insert into vault.dirty (relation) values (null);
    perform pg_notify('vault_revocations', json_build_object('kind', 'dropped', 'id',
      to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text);
    return gone;
  end loop;
  return null;
end $$;

-- Of those nobody used for 31 days; rows someone uses this moment are not waited for.
create function vault.forget_subjects(most int) returns int ${DOOR} as $$
declare
  ids uuid[] := array(select s.subject_id from vault.subject s where s.last_used < vault.disused_before()
    order by s.subject_id limit most for update skip locked);
begin
  with removed as (delete from vault.subject_name n where n.subject_id = any(ids) returning n.tableoid)
  insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
  with removed as (delete from vault.subject_secret k where k.subject_id = any(ids) returning k.tableoid)
  insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
  delete from vault.subject s where s.subject_id = any(ids);
  return cardinality(ids);
end $$;

-- Secrets are made in the current week alone: a past one that is empty stays so.
create function vault.forget_week() returns boolean ${DOOR} set lock_timeout = '1s' as $$
declare
  part record;
  used boolean;
begin
  for part in
    select c.oid::regclass as name from pg_class c
    where c.relnamespace = 'vault'::regnamespace and c.relkind = 'p' and c.relname ~ '^subject_secret_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') + 14 <= (now() at time zone 'UTC')::date
    order by c.relname
  loop
    execute format('select exists (select from %s)', part.name) into used;
    continue when used;
    lock table vault.subject_secret in access exclusive mode;
    execute format('select exists (select from %s)', part.name) into used;
    continue when used;
    execute format('drop table %s', part.name);
    insert into vault.dirty (relation) values (null);
    return true;
  end loop;
  return false;
end $$;

-- As before, without the bucket that began already: its drop time has come.
create or replace function vault.prepare() returns void language plpgsql as $$
declare
  today date := (now() at time zone 'UTC')::date;
  kept vault.retention := (select r from vault.retention r where class = 'body');
begin
  perform vault.ensure_week(date_trunc('week', today + 7 * n)::date) from generate_series(0, 1) n;
  perform vault.ensure_drop_bucket(date_bin(kept.bucket, at, 'epoch'::timestamptz))
    from generate_series(now() + kept.bucket, now() + kept.max_age + kept.bucket, kept.bucket) at;
end $$;

create function vault.prepare_ahead() returns void ${DOOR} as $$
begin
  perform vault.require_open();
  perform vault.prepare();
end $$;

-- The oldest of each: the start of the bucket a period secret is for; the earliest acceptance a content key may stem from, as
-- create_content_keys has no drop time closer to the limit; the day of last use. Null where there is none.
create function vault.read_ages() returns table (store text, class text, oldest timestamptz) ${DOOR} as $$
begin
  return query select 'period_secret', r.class,
      (select to_timestamp(min(p.bucket) || '+00', 'YYYYMMDDHH24TZH') from vault.period_secret p where p.class = r.class)
    from vault.retention r order by r.max_age, r.class;
  return query select 'content_key', r.class, (select min(k.drop_at) from vault.content_key k) - r.max_age + vault.early()
    from vault.retention r where r.class = 'body';
  return query select 'subject', 'subject', (select min(s.last_used) from vault.subject s)::timestamp at time zone 'UTC';
end $$;
`;
