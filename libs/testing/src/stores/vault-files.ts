/**
 * A PostgreSQL that is killed while it writes a table anew (VACUUM FULL) leaves the half-written file behind for good: in no catalog, in
 * no backup's mind, with the keys of people who are erased later. Only a superuser can empty one, so this function is a superuser's;
 * `privacy` may call it at each physical pass, and it decides alone which files these are: numbered ones of this database that no relation
 * owns, before and after everything ended that was at work when they were seen first (a relation being made is not in the catalog yet).
 */
export const vaultFiles = `
CREATE SCHEMA IF NOT EXISTS vault_files;
REVOKE ALL ON SCHEMA vault_files FROM PUBLIC;

CREATE OR REPLACE FUNCTION vault_files.unowned() RETURNS SETOF text LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH here AS (SELECT 'base/' || oid AS folder FROM pg_database WHERE datname = current_database())
  SELECT folder || '/' || file FROM here, pg_ls_dir(folder) AS file, pg_stat_file(folder || '/' || file, true) AS stat
  WHERE file ~ '^[0-9]+([.][0-9]+)?$' AND stat.size > 0
    AND NOT EXISTS (SELECT FROM pg_class c WHERE pg_relation_filenode(c.oid) = split_part(file, '.', 1)::oid)
$$;

CREATE OR REPLACE FUNCTION vault_files.empty_unowned() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  seen text[] := array(SELECT vault_files.unowned());
  at_work text[];
  path text;
  emptied int := 0;
BEGIN
  IF cardinality(seen) = 0 THEN RETURN 0; END IF;
  at_work := array(SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'virtualxid' AND a.datname = current_database() AND l.pid <> pg_backend_pid());
  FOR round IN 1..101 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'virtualxid' AND l.virtualtransaction = ANY (at_work));
    IF round = 101 THEN RAISE EXCEPTION 'A transaction that may be making a table has not ended' USING ERRCODE = '55000'; END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  FOR path IN SELECT u FROM vault_files.unowned() AS u WHERE u = ANY (seen) LOOP
    EXECUTE format('COPY (SELECT 1 WHERE false) TO %L', current_setting('data_directory') || '/' || path);
    emptied := emptied + 1;
  END LOOP;
  RETURN emptied;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault_files FROM PUBLIC;
GRANT USAGE ON SCHEMA vault_files TO privacy;
GRANT EXECUTE ON FUNCTION vault_files.empty_unowned() TO privacy;
`;
