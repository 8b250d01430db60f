export { counted } from './counted.ts';
export { PersonalDataHolder } from './holder.ts';
export type { ClosingScope, Counts, Erased, ErasureScope, Scope } from './holder.ts';
export { HolderConsumer } from './holder.consumer.ts';
export { measureTables } from './measure-tables.ts';
export { patience } from './patience.ts';
export { HOLDER_TOPICS, PrivacyHolderModule } from './privacy-holder.module.ts';
