import { basename, dirname } from 'node:path';
import { variablesOf } from './settings.mjs';

// For tests: read through vite from the sources, so that nothing has to be built first.
const configs = import.meta.glob<Record<string, { shape?: object }>>('../../apps/*/src/config.ts', { eager: true });
const migrations = import.meta.glob('../../apps/*/src/migrate.ts');
const appOf = (path: string): string => basename(dirname(dirname(path)));

/** The variables of every service from its config.ts: by name, true where one has to be given. */
export const services: Record<string, Map<string, boolean>> = Object.fromEntries(
  Object.entries(configs).map(([path, exports]) => {
    const app = appOf(path);
    return [app, variablesOf(app, exports['config'] ?? exports[`${app}Config`]) as Map<string, boolean>];
  }),
);

/** The services that have a migrate step. */
export const migrating: string[] = Object.keys(migrations).map(appOf);
