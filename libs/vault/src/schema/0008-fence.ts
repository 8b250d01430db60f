import { DOOR } from './door.ts';

/** The order of locks is everywhere: the account's stripe, subjects by id, their names, content keys by drop time and id. */
export const fences = `
-- As before; and a condemned key is announced as such: who may still have it reads it again.
create or replace function vault.announce() returns trigger language plpgsql as $$
begin
  perform pg_notify('vault_revocations', json_build_object('kind', tg_argv[0], 'id',
    case tg_argv[0]
      when 'account' then (to_jsonb(old) ->> 'account_id')
      when 'subject' then (to_jsonb(old) ->> 'subject_id')
      when 'message' then (to_jsonb(old) ->> 'message_id')
      when 'condemned' then (to_jsonb(old) ->> 'message_id')
      when 'period' then (to_jsonb(old) ->> 'class') || '/' || (to_jsonb(old) ->> 'bucket')
    end)::text);
  return null;
end $$;
create trigger condemn after update of condemned on vault.content_key
  for each row execute function vault.announce('condemned');

-- As before, and says where the name was.
create or replace function vault.unname() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  with gone as (delete from vault.subject_name where subject_id = old.subject_id returning tableoid)
  insert into vault.dirty (relation) select tableoid::regclass::text from gone;
  return null;
end $$;

-- Cuts off everyone these names lead to, and takes in those whom unfinished erasures cut off under the same names: an
-- erasure is not complete while an earlier one of the same person still is not. The same request asked again is answered the same.
create function vault.fence(request uuid, account uuid, pseudonyms bytea[])
returns table (at timestamptz, pseudonym bytea, subject uuid) ${DOOR} as $$
declare
  cut timestamptz;
  ids uuid[];
begin
  perform pg_advisory_xact_lock(hashtext('vault fence'), vault.fence_stripe(account));
  if not exists (select from vault.fence f where f.request_id = request) then
    cut := date_trunc('milliseconds', clock_timestamp());
    insert into vault.fence values (request, account, cut);
    insert into vault.fence_subject
      select request, n.pseudonym, n.subject_id from vault.subject_name n
        where n.account_id = account and n.pseudonym = any(pseudonyms)
      union
      select request, s.pseudonym, s.subject_id from vault.fence_subject s join vault.fence f using (request_id)
        where f.account_id = account and s.pseudonym = any(pseudonyms);
    ids := array(select s.subject_id from vault.fence_subject s where s.request_id = request);
    perform from vault.subject s where s.subject_id = any(ids) order by s.subject_id for update;
    with gone as (delete from vault.subject_name n where n.subject_id = any(ids) returning n.tableoid)
    insert into vault.dirty (relation) select distinct tableoid::regclass::text from gone;
    update vault.subject s set cut_off = cut where s.subject_id = any(ids) and s.cut_off is null;
  end if;
  return query select f.cut_off, s.pseudonym, s.subject_id
    from vault.fence f left join vault.fence_subject s using (request_id)
    where f.request_id = request order by s.pseudonym, s.subject_id;
end $$;

create function vault.end_fence(request uuid) returns void ${DOOR} as $$
begin
  with gone as (delete from vault.fence_subject s where s.request_id = request returning s.tableoid)
  insert into vault.dirty (relation) select distinct tableoid::regclass::text from gone;
  delete from vault.fence f where f.request_id = request;
end $$;

create function vault.fenced_pseudonyms(request uuid) returns table (subject uuid, pseudonym bytea) ${DOOR} as $$
begin
  perform vault.require_open();
  return query select s.subject_id, s.pseudonym from vault.fence_subject s where s.request_id = request order by 1;
end $$;

-- The key of a body that names someone erased while others still wait for it: gone for reading, there for delivery. Noted for every
-- erasure, also where another one has condemned it before, or even destroyed it.
create function vault.condemn_content_keys(request uuid, messages uuid[], drops timestamptz[]) returns void ${DOOR} as $$
begin
  perform vault.require_open();
  perform from vault.content_key k join unnest(messages, drops) as w(message_id, drop_at) using (drop_at, message_id)
    order by k.drop_at, k.message_id for update of k;
  insert into vault.condemnation (drop_at, message_id, request_id)
    select w.drop_at, w.message_id, request from unnest(messages, drops) as w(message_id, drop_at)
    where w.drop_at > now() and (
      exists (select from vault.content_key k where k.drop_at = w.drop_at and k.message_id = w.message_id)
      or exists (select from vault.condemnation c where c.drop_at = w.drop_at and c.message_id = w.message_id))
    order by 1, 2 on conflict do nothing;
  update vault.content_key k set condemned = true from unnest(messages, drops) as w(message_id, drop_at)
    where k.drop_at = w.drop_at and k.message_id = w.message_id and not k.condemned;
end $$;

-- What a request condemned, whether or not another one has destroyed it since.
create function vault.list_condemned(request uuid, most int) returns table (message uuid, drop_at timestamptz) ${DOOR} as $$
begin
  return query select c.message_id, c.drop_at from vault.condemnation c
    where c.request_id = request and c.drop_at > now() order by c.drop_at, c.message_id limit most;
end $$;

-- A page of the condemned keys that are still there, behind one of them; without those that only the given requests condemned, which
-- will see to them.
create function vault.list_left(early uuid[], after_drop timestamptz, after_message uuid, most int)
returns table (message uuid, drop_at timestamptz) ${DOOR} as $$
begin
  return query select k.message_id, k.drop_at from vault.content_key k
    where k.condemned and k.drop_at > now() and (k.drop_at, k.message_id) > (after_drop, after_message)
      and exists (select from vault.condemnation c
        where c.drop_at = k.drop_at and c.message_id = k.message_id and c.request_id <> all(early))
    order by k.drop_at, k.message_id limit most;
end $$;
`;
