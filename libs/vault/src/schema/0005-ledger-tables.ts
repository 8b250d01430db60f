/**
 * What erasures need: how far the ledger of destruction was applied and for which start of the server the vault was opened
 * (`state`), whom unfinished erasures fenced, keys that await their messages' last delivery and every erasure that condemned them, and
 * which partitions still hold the bytes of what was deleted (`dirty`: a log, so that nobody waits for another's mark; null stands for the WAL alone).
 */
export const ledgerTables = `
create table vault.state (
  one boolean primary key default true check (one),
  position bigint not null default 0,
  opened_for timestamptz,
  -- A table restored from a dump into a running server has another oid: it was not opened either.
  opened_as oid,
  passed_at timestamptz
);

create table vault.fence (
  request_id uuid primary key,
  account_id uuid not null,
  cut_off timestamptz not null
);

create table vault.fence_subject (
  request_id uuid not null references vault.fence on delete cascade,
  pseudonym bytea not null,
  subject_id uuid not null,
  primary key (request_id, pseudonym, subject_id)
);
create index fence_subject_pseudonym on vault.fence_subject (pseudonym);
select vault.hide_statistics('vault.fence_subject'::regclass);

create table vault.dirty (
  id bigint generated always as identity primary key,
  relation text
);

alter table vault.content_key add column condemned boolean not null default false;
create index content_key_condemned on vault.content_key (drop_at, message_id) where condemned;

-- Which erasures a body names somebody of. It outlives the key, until the drop time: whichever erasure destroys the key, the body is one
-- of each of them. Ids alone, so it may keep its dead rows.
create table vault.condemnation (
  drop_at timestamptz not null,
  message_id uuid not null,
  request_id uuid not null,
  primary key (drop_at, message_id, request_id)
);
create index condemnation_request on vault.condemnation (request_id, drop_at, message_id);

-- The ledger may name a subject that a restored vault never knew: it is cut off all the same.
alter table vault.subject alter column account_id drop not null;

-- A vault without accounts has nothing that could have been forgotten; any other waits for its ledger.
insert into vault.state (opened_for, opened_as)
  select pg_postmaster_start_time(), 'vault.state'::regclass where not exists (select from vault.account);
insert into vault.state default values on conflict do nothing;
`;
