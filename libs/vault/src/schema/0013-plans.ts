import { DOOR } from './door.ts';

/**
 * The doors on a message's way, for the same answers, without planning over every partition at each call: that was 25 ms of the
 * vault's processor a message on a slow core.
 *
 * People's names are found over 16 hash partitions by one statement for many: its plan is kept, and pruned name by name as it
 * runs; so are the plans for what lies in no partition. A kept plan is made when the tables may still be empty, and their columns
 * have no statistics, so the one way that stays right when they have millions of rows is prescribed: by the index. Content keys
 * and subjects' secrets lie in a partition per drop time and week, hundreds of them: each is asked for by itself, as a constant
 * that the planner prunes by.
 */
export const plans = `
create function vault.subject_secrets(of_week date, ids uuid[]) returns table (id uuid, secret bytea)
language plpgsql stable set plan_cache_mode = force_custom_plan as $$
begin
  return query select k.subject_id, k.secret from vault.subject_secret k where k.week = of_week and k.subject_id = any(ids);
end $$;

create or replace function vault.read_secrets(accounts uuid[], subjects uuid[], classes text[], buckets text[])
returns table (kind text, id text, secret bytea, until timestamptz) ${DOOR} as $$
declare
  made record;
begin
  perform vault.require_open();
  if cardinality(accounts) > 0 then
    return query select 'account', a.account_id::text, a.secret, null::timestamptz from vault.account a
      where a.account_id = any(accounts);
  end if;
  for made in
    select s.week, array_agg(s.subject_id) as ids from vault.subject s
    where s.subject_id = any(subjects) and s.cut_off is null group by s.week
  loop
    return query select 'subject', k.id::text, k.secret, null::timestamptz from vault.subject_secrets(made.week, made.ids) k;
  end loop;
  if cardinality(classes) > 0 then
    return query select 'period', p.class || '/' || p.bucket, p.secret, p.forget_at
      from unnest(classes, buckets) as wanted(class, bucket)
      join vault.period_secret p using (class, bucket)
      join vault.class_grant g on g.class = p.class and g.role_name = session_user
      where p.forget_at > now();
  end if;
end $$;

do $$
declare
  door text;
begin
  foreach door in array array['find_subjects(uuid[], bytea[])', 'create_subjects(uuid[], bytea[], uuid[], bytea[])',
    'read_secrets(uuid[], uuid[], text[], text[])'] loop
    execute format('alter function vault.%s set plan_cache_mode = force_generic_plan', door);
    execute format('alter function vault.%s set enable_seqscan = off', door);
    execute format('alter function vault.%s set enable_hashjoin = off', door);
    execute format('alter function vault.%s set enable_mergejoin = off', door);
  end loop;
end $$;

create or replace function vault.create_content_keys(messages uuid[], drops timestamptz[], secrets bytea[])
returns table (message uuid, secret bytea) ${DOOR} as $$
declare
  kept vault.retention := (select r from vault.retention r where r.class = 'body');
  at timestamptz;
  wanted uuid[];
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
  for at, wanted in
    select w.drop_at, array_agg(w.message_id) from unnest(messages, drops) as w(message_id, drop_at) group by 1
  loop
    return query select k.message_id, k.secret from vault.content_key k
      where k.drop_at = at and k.message_id = any(wanted) and not k.condemned;
  end loop;
end $$;

create or replace function vault.read_content_keys(messages uuid[], drops timestamptz[])
returns table (message uuid, secret bytea) ${DOOR} as $$
declare
  delivers boolean := exists (select from vault.class_grant where class = 'condemned' and role_name = session_user);
  at timestamptz;
  wanted uuid[];
begin
  perform vault.require_open();
  for at, wanted in
    select w.drop_at, array_agg(w.message_id) from unnest(messages, drops) as w(message_id, drop_at)
    where w.drop_at > now() group by 1
  loop
    return query select k.message_id, k.secret from vault.content_key k
      where k.drop_at = at and k.message_id = any(wanted) and (not k.condemned or delivers);
  end loop;
end $$;
`;
