export const SERVICES = ['gateway', 'accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'] as const;
export type Service = (typeof SERVICES)[number];

/** Services that may hold personal data: each answers every command of `privacy` (Art. 28(3)(e) GDPR). */
export const HOLDERS = ['accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'] as const;
export type HolderService = (typeof HOLDERS)[number];
