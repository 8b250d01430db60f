import { DOOR } from './door.ts';

/**
 * For what stands and leads to people by their subjects alone (members of lists): they are in use. Answers those that are there, be
 * they cut off or not: of the others nothing opens any more.
 */
export const known = `
create function vault.use_known(subjects uuid[]) returns table (subject uuid) ${DOOR} as $$
begin
  perform vault.require_open();
  perform vault.note_use(subjects);
  return query select s.subject_id from vault.subject s where s.subject_id = any(subjects);
end $$;
`;
