export { bodiesConfig, BodiesModule } from './bodies.module.ts';
export type { BodiesConfig } from './bodies.module.ts';
export { openBody, openStream, sealBody, sealStream } from './crypto/body-seal.ts';
export { BodyStore } from './store/body-store.ts';
export type { BodyRef, BodyStoreOptions, SealedBody } from './store/body-store.ts';
export { dropTime } from './store/drop-time.ts';
export { migrateBodies } from './store/migrate.ts';
export type { MigrateBodiesOptions } from './store/migrate.ts';
export { BODY_STORES } from './store/stores.ts';
