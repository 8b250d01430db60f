import { DOOR } from './door.ts';

/**
 * Names that lead to nobody are fenced too, without a subject: what is held under a pseudonym alone (do-not-contact) can be found
 * and left by an erasure of somebody whose subject is gone, or never was.
 */
export const fencedNames = `
alter table vault.fence_subject drop constraint fence_subject_pkey;
alter table vault.fence_subject alter column subject_id drop not null;
create unique index fence_subject_key on vault.fence_subject (request_id, pseudonym, subject_id) nulls not distinct;

-- As before, and remembers the names that led to nobody.
create or replace function vault.fence(request uuid, account uuid, pseudonyms bytea[])
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
        where f.account_id = account and s.pseudonym = any(pseudonyms) and s.subject_id is not null;
    insert into vault.fence_subject
      select distinct request, asked.name, null::uuid from unnest(pseudonyms) as asked(name)
        where not exists (select from vault.fence_subject s where s.request_id = request and s.pseudonym = asked.name);
    ids := array(select s.subject_id from vault.fence_subject s
      where s.request_id = request and s.subject_id is not null);
    perform from vault.subject s where s.subject_id = any(ids) order by s.subject_id for update;
    with gone as (delete from vault.subject_name n where n.subject_id = any(ids) returning n.tableoid)
    insert into vault.dirty (relation) select distinct tableoid::regclass::text from gone;
    update vault.subject s set cut_off = cut where s.subject_id = any(ids) and s.cut_off is null;
  end if;
  return query select f.cut_off, s.pseudonym, s.subject_id
    from vault.fence f left join vault.fence_subject s using (request_id)
    where f.request_id = request order by s.pseudonym, s.subject_id;
end $$;
`;
