import type { Logger } from 'typeorm';

/** TypeORM's own logger writes statements with their parameters, some even with logging off. */
export const SILENT: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};
