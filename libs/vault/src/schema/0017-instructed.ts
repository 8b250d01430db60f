import { DOOR } from './door.ts';

/** Bodies that an account has instructed us in writing to keep for longer than the limit of all others. */
export const instructed = `
-- As before; the limit is that of bodies kept by an instruction: who has given one, whoever makes the key knows.
create or replace function vault.create_content_keys(messages uuid[], drops timestamptz[], secrets bytea[])
returns table (message uuid, secret bytea) ${DOOR} as $$
declare
  kept vault.retention := (select r from vault.retention r where r.class = 'instructed');
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

-- As before, but for content keys: those whose drop time is further ahead than any other body's are of bodies kept by an instruction.
create or replace function vault.read_ages() returns table (store text, class text, oldest timestamptz) ${DOOR} as $$
declare
  body vault.retention := (select r from vault.retention r where r.class = 'body');
begin
  return query select 'period_secret', r.class,
      (select to_timestamp(min(p.bucket) || '+00', 'YYYYMMDDHH24TZH') from vault.period_secret p where p.class = r.class)
    from vault.retention r order by r.max_age, r.class;
  return query select 'content_key', r.class,
      (select min(k.drop_at) from vault.content_key k
        where (k.drop_at > now() + body.max_age - vault.early() + interval '1 minute') = (r.class = 'instructed')) - r.max_age + vault.early()
    from vault.retention r where r.class in ('body', 'instructed') order by r.max_age;
  return query select 'subject', 'subject', (select min(s.last_used) from vault.subject s)::timestamp at time zone 'UTC';
end $$;
`;
