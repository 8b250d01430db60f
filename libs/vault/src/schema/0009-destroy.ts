import { DOOR } from './door.ts';

/**
 * Destroying keys is applying the ledger: whether an entry is new, or an old one that a restored vault has not seen, is the same
 * work, and the position it leads to is part of the same transaction. `entries`: [{position, subjects, messages: [{messageId,
 * dropAt}]}].
 */
export const destruction = `
create function vault.destroy(entries jsonb) returns table (subjects int, content_keys int, reached bigint) ${DOOR} as $$
declare
  today date := (now() at time zone 'UTC')::date;
  entry jsonb;
  wanted bigint;
  ids uuid[];
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
`;
