import { DOOR } from './door.ts';

/**
 * Accounts that are closed. With the account's row goes its secret, which is part of every key of it, and the key of its pseudonyms: from
 * then on nothing of it opens, nobody is found or made. The secrets of its people follow in steps, because there may be millions.
 */
export const closedAccounts = `
-- Ids alone, kept for good: a vault from a backup gets them back with the ledger.
create table vault.closed_account (
  account_id uuid primary key,
  closed_at timestamptz not null default now(),
  emptied boolean not null default false
);

-- As before; an entry may close an account, besides. Whoever makes people of it waits, or finds no account any more.
create or replace function vault.destroy(entries jsonb) returns table (subjects int, content_keys int, reached bigint) ${DOOR} as $$
declare
  today date := (now() at time zone 'UTC')::date;
  entry jsonb;
  wanted bigint;
  ids uuid[];
  closing uuid;
  gone int;
begin
  subjects := 0;
  content_keys := 0;
  select s.position into reached from vault.state s for update;
  for entry in select e from jsonb_array_elements(entries) with ordinality as listed(e, n) order by n loop
    wanted := (entry ->> 'position')::bigint;
    continue when wanted <= reached;
    if wanted <> reached + 1 then
      raise exception 'The vault has applied its ledger up to %: entry % cannot be the next', reached, wanted
        using errcode = '22023';
    end if;
    closing := (entry ->> 'account')::uuid;
    if closing is not null then
      perform pg_advisory_xact_lock(hashtext('vault fence'), vault.fence_stripe(closing));
      insert into vault.closed_account (account_id) values (closing) on conflict do nothing;
      with removed as (delete from vault.account a where a.account_id = closing returning a.tableoid)
      insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
    end if;
    ids := array(select jsonb_array_elements_text(entry -> 'subjects')::uuid);
    perform from vault.subject s where s.subject_id = any(ids) order by s.subject_id for update;
    -- The row stays as long as one that is unused: it says that this id is cut off, also where it was not known.
    insert into vault.subject (subject_id, week, last_used, cut_off)
      select id, date_trunc('week', today)::date, today, now() from unnest(ids) as id order by id
      on conflict (subject_id) do update set cut_off = coalesce(vault.subject.cut_off, excluded.cut_off), last_used = today;
    with removed as (delete from vault.subject_name n where n.subject_id = any(ids) returning n.tableoid)
    insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
    with removed as (delete from vault.subject_secret k where k.subject_id = any(ids) returning k.tableoid),
      marked as (insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed)
    select count(*) into gone from removed;
    subjects := subjects + gone;
    with listed as (select (m ->> 'messageId')::uuid as message_id, (m ->> 'dropAt')::timestamptz as drop_at
        from jsonb_array_elements(entry -> 'messages') as m),
      removed as (delete from vault.content_key k using listed w
        where k.drop_at = w.drop_at and k.message_id = w.message_id returning k.tableoid),
      marked as (insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed)
    select count(*) into gone from removed;
    content_keys := content_keys + gone;
    reached := wanted;
  end loop;
  update vault.state s set position = reached where s.position <> reached;
  return next;
end $$;

-- Some of the people of closed accounts, with their names and secrets; how many. None: all are gone.
create function vault.forget_closed(most int) returns int ${DOOR} as $$
declare
  ids uuid[] := array(select s.subject_id from vault.closed_account c join vault.subject s using (account_id)
    where not c.emptied order by s.subject_id limit most for update of s);
  made record;
begin
  with removed as (delete from vault.subject_name n where n.subject_id = any(ids) returning n.tableoid)
  insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
  for made in
    select s.week, array_agg(s.subject_id) as of_week from vault.subject s where s.subject_id = any(ids) group by s.week
  loop
    with removed as (delete from vault.subject_secret k
      where k.week = made.week and k.subject_id = any(made.of_week) returning k.tableoid)
    insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed;
  end loop;
  delete from vault.subject s where s.subject_id = any(ids);
  if cardinality(ids) = 0 then update vault.closed_account set emptied = true where not emptied; end if;
  return cardinality(ids);
end $$;

-- What is left of an account, wherever it lies.
create function vault.account_residual(account uuid) returns table (accounts int, secrets int, names int) ${DOOR} as $$
begin
  return query select (select count(*)::int from vault.account a where a.account_id = account),
    (select count(*)::int from vault.subject s join vault.subject_secret k using (week, subject_id) where s.account_id = account),
    (select count(*)::int from vault.subject_name n where n.account_id = account);
end $$;

-- As before, a page at a time: behind one of them.
drop function vault.list_condemned(uuid, int);
create function vault.list_condemned(request uuid, after_drop timestamptz, after_message uuid, most int)
returns table (message uuid, drop_at timestamptz) ${DOOR} as $$
begin
  return query select c.message_id, c.drop_at from vault.condemnation c
    where c.request_id = request and c.drop_at > now() and (c.drop_at, c.message_id) > (after_drop, after_message)
    order by c.drop_at, c.message_id limit most;
end $$;
`;
