import { Deferred1764000000000 } from './deferred.migration.ts';

export const MIGRATIONS = [Deferred1764000000000];
