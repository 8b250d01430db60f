export type { BulkItem, BulkOutcome } from './bulk.ts';
export type { Lifecycle } from './lifecycle.ts';
export { searchConfig } from './search-config.ts';
export type { SearchConfig } from './search-config.ts';
export { SearchError } from './search-error.ts';
export { SearchModule, createClient } from './search.module.ts';
export { Search } from './search.ts';
export type { IndexTemplate } from './search.ts';
