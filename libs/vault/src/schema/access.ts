import type { RetentionClass } from '@lethe/contracts';

/** Services with a role of their own in the vault. The gateway has none: it opens nothing. */
export const VAULT_SERVICES = ['accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'] as const;
export type VaultService = (typeof VAULT_SERVICES)[number];

/** May make subjects: HTTP, SMTP and inbound accept (ingest), imports (accounts, suppression), inquiries (privacy). */
const DOORS: VaultService[] = ['accounts', 'ingest', 'suppression', 'privacy'];
const ALL: VaultService[] = [...VAULT_SERVICES];
/** Whose role the functions of `VaultKeeper` are for. */
export const KEEPER: VaultService[] = ['privacy'];

/** Who may call what: the whole of what a service can do in the vault. Fencing and destruction are privacy's alone. */
export const ACCESS: Record<string, VaultService[]> = {
  'create_account(uuid, bytea, bytea)': ['accounts'],
  'read_pseudonym_keys(uuid[])': [...DOORS, 'delivery'],
  'read_secrets(uuid[], uuid[], text[], text[])': ALL,
  'create_periods(text[], text[], bytea[])': ALL,
  'find_subjects(uuid[], bytea[])': DOORS,
  'create_subjects(uuid[], bytea[], uuid[], bytea[])': DOORS,
  'create_content_keys(uuid[], timestamptz[], bytea[])': ['ingest'],
  'read_content_keys(uuid[], timestamptz[])': ['ingest', 'delivery'],
  'is_open()': ALL,
  'use_subjects(uuid, bytea[])': DOORS,
  'use_known(uuid[])': ['ingest'],
  'condemn_content_keys(uuid, uuid[], timestamptz[])': ['ingest'],
  'give_up_content_keys(uuid[], timestamptz[])': ['delivery'],
  'fenced_pseudonyms(uuid)': ['suppression'],
  'fence(uuid, uuid, bytea[])': KEEPER,
  'end_fence(uuid)': KEEPER,
  'read_state()': KEEPER,
  'open_at(bigint)': KEEPER,
  'destroy(jsonb)': KEEPER,
  'list_condemned(uuid, timestamptz, uuid, integer)': KEEPER,
  'list_left(uuid[], timestamptz, uuid, integer)': KEEPER,
  'list_given_up(integer)': KEEPER,
  'release_content_keys(uuid[], timestamptz[])': KEEPER,
  'dirty_marks()': KEEPER,
  'note_pass()': KEEPER,
  'clear_marks(bigint[])': KEEPER,
  'residual(uuid[])': KEEPER,
  'account_residual(uuid)': KEEPER,
  'forget_closed(integer)': KEEPER,
  'forget_periods()': KEEPER,
  'forget_drop_bucket()': KEEPER,
  'forget_subjects(integer)': KEEPER,
  'forget_week()': KEEPER,
  'prepare_ahead()': KEEPER,
  'read_ages()': KEEPER,
};

/** May still read the key of a body that is condemned: its other recipients wait. */
export const READERS_OF_CONDEMNED: VaultService[] = ['delivery'];

/** Who may read and make the period secrets of a class. */
export const CLASSES: Record<RetentionClass, VaultService[]> = {
  e1: ALL,
  e3: ALL,
  e7: ALL,
  e14: ALL,
  e30: ALL,
  queue: ['ingest', 'delivery', 'privacy'],
  body: ['ingest', 'delivery', 'privacy'],
  instructed: ['privacy'],
};
