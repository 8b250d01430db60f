import { DOOR } from './door.ts';

/** For the physical pass (`keeper/physical-pass.ts`), which runs what cannot run inside a function. */
export const pass = `
-- A relation that is not there any more left its bytes in the WAL alone, like a mark without one.
create function vault.dirty_marks() returns table (mark bigint, relation text) ${DOOR} as $$
begin
  return query select d.id, case when to_regclass(d.relation) is not null then d.relation end from vault.dirty d order by 1;
end $$;

-- The row after which the WAL is switched: without one pg_switch_wal() would have nothing to leave behind.
create function vault.note_pass() returns void ${DOOR} as $$
begin
  update vault.state set passed_at = clock_timestamp();
end $$;

create function vault.clear_marks(marks bigint[]) returns timestamptz ${DOOR} as $$
begin
  delete from vault.dirty d where d.id = any(marks);
  return clock_timestamp();
end $$;

-- What is left of people who were erased, wherever it lies.
create function vault.residual(subjects uuid[]) returns table (secrets int, names int) ${DOOR} as $$
begin
  return query select (select count(*)::int from vault.subject_secret k where k.subject_id = any(subjects)),
    (select count(*)::int from vault.subject_name n where n.subject_id = any(subjects));
end $$;
`;
