import { DOOR } from './door.ts';

/**
 * Closed until opened: a server that was started may have been given an older vault, in which destroyed keys are back. So after
 * each start nothing is answered until privacy has compared positions, applied what its ledger has more, and opened it.
 */
export const closed = `
create function vault.opened() returns boolean language sql stable as $$
  select exists (select from vault.state
    where opened_for = pg_postmaster_start_time() and opened_as = 'vault.state'::regclass)
$$;

create function vault.require_open() returns void language plpgsql stable as $$
begin
  if not vault.opened() then raise exception 'closed' using errcode = 'LE001'; end if;
end $$;

-- What the connections that hear revocations ask: as long as it says no, nobody trusts a cached key.
create function vault.is_open() returns boolean ${DOOR} as $$
begin
  return vault.opened();
end $$;

create function vault.read_state() returns table (reached bigint, opened boolean, started_at timestamptz) ${DOOR} as $$
begin
  return query select s.position, vault.opened(), pg_postmaster_start_time() from vault.state s;
end $$;

create function vault.open_at(wanted bigint) returns boolean ${DOOR} as $$
begin
  update vault.state set opened_for = pg_postmaster_start_time(), opened_as = 'vault.state'::regclass
    where position = wanted;
  return found;
end $$;
`;
