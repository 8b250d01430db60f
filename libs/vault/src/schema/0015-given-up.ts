import { DOOR } from './door.ts';

/**
 * Content keys that nobody needs any more, as delivery says of messages that are shredded after their last recipient. Who says so
 * destroys nothing: `privacy` notes first that they have to be gone, then releases them. Ids alone, so that table may keep its dead rows.
 */
export const givenUp = `
create table vault.given_up (
  drop_at timestamptz not null,
  message_id uuid not null,
  primary key (drop_at, message_id)
);

-- Said again after the key is gone, it changes nothing.
create function vault.give_up_content_keys(messages uuid[], drops timestamptz[]) returns void ${DOOR} as $$
declare
  at timestamptz;
  wanted uuid[];
begin
  perform vault.require_open();
  for at, wanted in
    select w.drop_at, array_agg(w.message_id) from unnest(messages, drops) as w(message_id, drop_at)
    where w.drop_at > now() group by 1 order by 1
  loop
    insert into vault.given_up (drop_at, message_id)
      select k.drop_at, k.message_id from vault.content_key k where k.drop_at = at and k.message_id = any(wanted)
      order by 1, 2 on conflict do nothing;
  end loop;
end $$;

-- Keys past their drop time go with their partition.
create function vault.list_given_up(most int) returns table (message uuid, drop_at timestamptz) ${DOOR} as $$
begin
  delete from vault.given_up g where g.drop_at <= now();
  return query select g.message_id, g.drop_at from vault.given_up g order by g.drop_at, g.message_id limit most;
end $$;

-- Destroys keys that privacy has noted as gone, a drop time at a time, so that only its partition is looked at.
create function vault.release_content_keys(messages uuid[], drops timestamptz[]) returns int ${DOOR} as $$
declare
  at timestamptz;
  wanted uuid[];
  gone int;
  total int := 0;
begin
  for at, wanted in
    select w.drop_at, array_agg(w.message_id) from unnest(messages, drops) as w(message_id, drop_at) group by 1 order by 1
  loop
    -- In the order of whoever condemns.
    perform from vault.content_key k where k.drop_at = at and k.message_id = any(wanted) order by k.message_id for update;
    with removed as (delete from vault.content_key k where k.drop_at = at and k.message_id = any(wanted) returning k.tableoid),
      marked as (insert into vault.dirty (relation) select distinct tableoid::regclass::text from removed)
    select count(*) into gone from removed;
    delete from vault.given_up g where g.drop_at = at and g.message_id = any(wanted);
    total := total + gone;
  end loop;
  return total;
end $$;
`;
