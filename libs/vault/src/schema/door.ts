/**
 * The only doors: roles have EXECUTE on some functions (see access.ts) and no right on any table. Each takes the ids it is to
 * answer for, so nobody can list; what lists (condemned keys, dirty relations) is privacy's. `security definer` with a fixed
 * search path (CVE-2018-1058).
 */
export const DOOR = `language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan`;
