/**
 * Whoever destroys or cuts off a key announces it in the same transaction, because a trigger does; forgetting to is not
 * possible. (A dropped or truncated partition fires none: what drops one announces it itself.)
 * A name never leads to a subject that is cut off: someone who comes back gets a new subject.
 */
export const revocation = `
create function vault.announce() returns trigger language plpgsql as $$
begin
  perform pg_notify('vault_revocations', json_build_object('kind', tg_argv[0], 'id',
    case tg_argv[0]
      when 'account' then (to_jsonb(old) ->> 'account_id')
      when 'subject' then (to_jsonb(old) ->> 'subject_id')
      when 'message' then (to_jsonb(old) ->> 'message_id')
      when 'period' then (to_jsonb(old) ->> 'class') || '/' || (to_jsonb(old) ->> 'bucket')
    end)::text);
  return null;
end $$;

create function vault.unname() returns trigger language plpgsql as $$
begin
  delete from vault.subject_name where subject_id = old.subject_id;
  return null;
end $$;

create trigger announce after delete on vault.account for each row execute function vault.announce('account');
create trigger announce after delete or update of cut_off on vault.subject
  for each row execute function vault.announce('subject');
create trigger unname after delete or update of cut_off on vault.subject
  for each row execute function vault.unname();
create trigger announce after delete on vault.subject_secret for each row execute function vault.announce('subject');
create trigger announce after delete on vault.period_secret for each row execute function vault.announce('period');
create trigger announce after delete on vault.content_key for each row execute function vault.announce('message');
`;
