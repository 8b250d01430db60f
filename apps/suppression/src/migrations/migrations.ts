import { Suppression1764500000000 } from './1764500000000-suppression.ts';

/** In order; each is applied once and never edited after a release. */
export const MIGRATIONS = [Suppression1764500000000];
