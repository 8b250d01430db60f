import { DOOR } from './door.ts';

/**
 * The doors of 0004 again: each asks whether the vault is open; condemned content keys are answered to delivery alone; a subject that is
 * being forgotten for disuse is not answered to who finds it at that moment; and creating waits for a fence of the account. Periods'
 * secrets come with the time from which they are not used any more, and end before the limit of what they seal.
 */
export const doors = `
create or replace function vault.create_account(account uuid, secret bytea, pseudonym_key bytea) returns void ${DOOR} as $$
begin
  perform vault.require_open();
  insert into vault.account values (account, secret, pseudonym_key) on conflict do nothing;
end $$;

create or replace function vault.read_pseudonym_keys(accounts uuid[]) returns table (account uuid, secret bytea) ${DOOR} as $$
begin
  perform vault.require_open();
  return query select a.account_id, a.pseudonym_key from vault.account a where a.account_id = any(accounts);
end $$;

-- Whoever deletes what is due and rewrites the files comes by every minute or so, and may have to try again.
create function vault.early() returns interval language sql immutable as $$
  select interval '10 minutes'
$$;
-- Of secrets that were made without it.
update vault.period_secret set forget_at = forget_at - vault.early();

drop function vault.read_secrets(uuid[], uuid[], text[], text[]);
create function vault.read_secrets(accounts uuid[], subjects uuid[], classes text[], buckets text[])
returns table (kind text, id text, secret bytea, until timestamptz) ${DOOR} as $$
declare
  made record;
begin
  perform vault.require_open();
  return query select 'account', a.account_id::text, a.secret, null::timestamptz from vault.account a where a.account_id = any(accounts);
  for made in
    select s.week, array_agg(s.subject_id) as ids from vault.subject s
    where s.subject_id = any(subjects) and s.cut_off is null group by s.week
  loop
    return query select 'subject', k.subject_id::text, k.secret, null::timestamptz from vault.subject_secret k
      where k.week = made.week and k.subject_id = any(made.ids);
  end loop;
  return query select 'period', p.class || '/' || p.bucket, p.secret, p.forget_at
    from unnest(classes, buckets) as wanted(class, bucket)
    join vault.period_secret p using (class, bucket)
    join vault.class_grant g on g.class = p.class and g.role_name = session_user
    where p.forget_at > now();
end $$;

drop function vault.create_periods(text[], text[], bytea[]);
create function vault.create_periods(classes text[], buckets text[], secrets bytea[])
returns table (class text, bucket text, secret bytea, until timestamptz) ${DOOR} as $$
#variable_conflict use_column
begin
  perform vault.require_open();
  insert into vault.period_secret (class, bucket, secret, forget_at)
    select w.class, w.bucket, w.secret, start.at + r.max_age - vault.early()
    from unnest(classes, buckets, secrets) as w(class, bucket, secret)
    join vault.retention r on r.class = w.class
    join vault.class_grant g on g.class = w.class and g.role_name = session_user
    cross join lateral (select to_timestamp(w.bucket || '+00', 'YYYYMMDDHH24TZH') as at) start
    where w.bucket ~ '^[0-9]{10}$' and date_bin(r.bucket, start.at, 'epoch'::timestamptz) = start.at
      and start.at + r.max_age - vault.early() > now() and start.at <= now() + interval '2 days'
    order by 1, 2
    on conflict do nothing;
  return query select p.class, p.bucket, p.secret, p.forget_at
    from unnest(classes, buckets) as w(class, bucket) join vault.period_secret p using (class, bucket)
    join vault.class_grant g on g.class = p.class and g.role_name = session_user
    where p.forget_at > now();
end $$;

-- Names unused for longer than this are forgotten (design §4); the day of last use counts whole, and the 31st day after it ends an
-- hour early, so that even millions are gone before the day is 32 days old.
create function vault.disused_before(at timestamptz default now()) returns date language sql stable as $$
  select ((at + interval '1 hour') at time zone 'UTC')::date - 31
$$;

-- Notes the day of use, at most once a day, and never waiting for another that does the same.
create function vault.note_use(subjects uuid[]) returns void language plpgsql as $$
declare
  today date := (now() at time zone 'UTC')::date;
begin
  update vault.subject s set last_used = today from (
    select subject_id from vault.subject where subject_id = any(subjects) and last_used < today
    for no key update skip locked) due where s.subject_id = due.subject_id;
end $$;

-- A name whose disuse is due and that could not be noted is perhaps being forgotten right now: it counts as unknown, so that
-- whoever asks goes on to create it, and waits there for what becomes of it.
create or replace function vault.find_subjects(accounts uuid[], pseudonyms bytea[])
returns table (account uuid, pseudonym bytea, subject uuid) ${DOOR} as $$
begin
  perform vault.require_open();
  perform vault.note_use(array(select n.subject_id from unnest(accounts, pseudonyms) as w(account_id, pseudonym)
    join vault.subject_name n using (account_id, pseudonym)));
  return query select n.account_id, n.pseudonym, n.subject_id
    from unnest(accounts, pseudonyms) as w(account_id, pseudonym)
    join vault.subject_name n using (account_id, pseudonym)
    join vault.subject s using (subject_id)
    where s.last_used >= vault.disused_before();
end $$;

-- For what stands (a suppression, a list) and leads to a person by pseudonym: its person is in use.
create function vault.use_subjects(account uuid, pseudonyms bytea[]) returns void ${DOOR} as $$
begin
  perform vault.require_open();
  perform vault.note_use(array(select n.subject_id from vault.subject_name n
    where n.account_id = account and n.pseudonym = any(pseudonyms)));
end $$;

-- Creators of subjects share it, a fence has it alone: a subject is either there for the fence to see, or made after the
-- cut-off. 64 locks in all, because a batch may be of very many accounts.
create function vault.fence_stripe(account uuid) returns int language sql immutable as $$
  select hashtext(account::text) & 63
$$;

create or replace function vault.create_subjects(accounts uuid[], pseudonyms bytea[], ids uuid[], secrets bytea[])
returns table (account uuid, pseudonym bytea, subject uuid) ${DOOR} as $$
declare
  today date := (now() at time zone 'UTC')::date;
  this_week date := date_trunc('week', now() at time zone 'UTC')::date;
  made uuid[];
begin
  perform vault.require_open();
  perform vault.ensure_week(this_week);
  perform vault.ensure_week(this_week + 7);
  perform pg_advisory_xact_lock_shared(hashtext('vault fence'), stripe)
    from (select distinct vault.fence_stripe(a) as stripe from unnest(accounts) as a order by 1) stripes;
  with named as (
    insert into vault.subject_name as n (account_id, pseudonym, subject_id)
      select w.account_id, w.pseudonym, w.subject_id from unnest(accounts, pseudonyms, ids) as w(account_id, pseudonym, subject_id)
      join vault.account a using (account_id)
      order by 1, 2
      on conflict do nothing returning n.account_id, n.subject_id
  ), described as (
    insert into vault.subject (subject_id, account_id, week, last_used)
      select named.subject_id, named.account_id, this_week, today from named returning subject_id
  )
  select array_agg(subject_id) into made from described;
  insert into vault.subject_secret (week, subject_id, secret)
    select this_week, w.subject_id, w.secret from unnest(ids, secrets) as w(subject_id, secret)
    where w.subject_id = any(made);
  -- Whom another one made, or who is there and was not answered: their use is noted, waiting if need be.
  perform from vault.subject s where s.last_used < today and s.subject_id in (
    select n.subject_id from unnest(accounts, pseudonyms) as w(account_id, pseudonym)
    join vault.subject_name n using (account_id, pseudonym)) order by s.subject_id for no key update;
  update vault.subject s set last_used = today where s.last_used < today and s.subject_id in (
    select n.subject_id from unnest(accounts, pseudonyms) as w(account_id, pseudonym)
    join vault.subject_name n using (account_id, pseudonym));
  return query select n.account_id, n.pseudonym, n.subject_id
    from unnest(accounts, pseudonyms) as w(account_id, pseudonym)
    join vault.subject_name n using (account_id, pseudonym);
end $$;

create or replace function vault.create_content_keys(messages uuid[], drops timestamptz[], secrets bytea[])
returns table (message uuid, secret bytea) ${DOOR} as $$
declare
  kept vault.retention := (select r from vault.retention r where r.class = 'body');
  at timestamptz;
begin
  perform vault.require_open();
  for at in select distinct unnest(drops) loop
    if at <= now() or at > now() + kept.max_age - vault.early() + interval '1 minute' or date_bin(kept.bucket, at, 'epoch'::timestamptz) <> at then
      raise exception 'A drop time must be the next bucket''s start or later, within the limit, and on the bucket grid'
        using errcode = '22023';
    end if;
    perform vault.ensure_drop_bucket(at);
    perform vault.ensure_drop_bucket(at + kept.bucket);
  end loop;
  insert into vault.content_key (drop_at, message_id, secret)
    select w.drop_at, w.message_id, w.secret from unnest(messages, drops, secrets) as w(message_id, drop_at, secret)
    order by 1, 2 on conflict do nothing;
  return query select k.message_id, k.secret from unnest(messages, drops) as w(message_id, drop_at)
    join vault.content_key k using (drop_at, message_id) where not k.condemned;
end $$;

create or replace function vault.read_content_keys(messages uuid[], drops timestamptz[])
returns table (message uuid, secret bytea) ${DOOR} as $$
declare
  delivers boolean := exists (select from vault.class_grant where class = 'condemned' and role_name = session_user);
begin
  perform vault.require_open();
  return query select k.message_id, k.secret from unnest(messages, drops) as w(message_id, drop_at)
    join vault.content_key k using (drop_at, message_id)
    where k.drop_at > now() and (not k.condemned or delivers);
end $$;
`;
