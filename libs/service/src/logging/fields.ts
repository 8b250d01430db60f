/**
 * What a log line may say. Numbers and booleans pass under any key that is a plain identifier;
 * text passes only under a key of this list, and only in the shape its kind has. There is no kind
 * for free text: that is how an address or a subject line stays out (GDPR Art. 25).
 */
type Kind = 'id' | 'word' | 'route' | 'origin';

const SHAPES: Record<Kind, RegExp> = {
  /** UUIDs, digests, sequence names: opaque by agreement. */
  id: /^[A-Za-z0-9_:-]{1,128}$/,
  /** A value of an enumeration, an error code, the name of a table, topic or index. */
  word: /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/,
  /** A route template as declared, `/v3/:domain/messages`; never the path of a request. */
  route: /^\/[A-Za-z0-9/:._*{}-]{0,200}$/,
  /** Where a server listens or connects to: scheme, host and port of a store, nothing more. */
  origin: /^(?:[a-z]+:\/\/)?[A-Za-z0-9.\-[\]:]{1,200}$/,
};

export const TEXT_FIELDS = {
  accountId: 'id',
  attemptId: 'id',
  domainId: 'id',
  errorId: 'id',
  eventId: 'id',
  keyId: 'id',
  messageId: 'id',
  recordId: 'id',
  requestId: 'id',
  spanId: 'id',
  subjectId: 'id',
  traceId: 'id',
  webhookId: 'id',
  bucket: 'word',
  check: 'word',
  class: 'word',
  client: 'word',
  code: 'word',
  context: 'word',
  detail: 'word',
  group: 'word',
  handler: 'word',
  index: 'word',
  kind: 'word',
  method: 'word',
  migration: 'word',
  mode: 'word',
  name: 'word',
  outcome: 'word',
  provider: 'word',
  reason: 'word',
  signal: 'word',
  state: 'word',
  table: 'word',
  topic: 'word',
  type: 'word',
  variable: 'word',
  version: 'word',
  route: 'route',
  origin: 'origin',
} as const satisfies Record<string, Kind>;

export type TextField = keyof typeof TEXT_FIELDS;

/** `undefined` fields are left out. */
export type LogFields = {
  [field: string]: unknown;
} & { [field in TextField]?: string | number | boolean | undefined } & { error?: unknown };

const IDENTIFIER = /^[a-zA-Z][a-zA-Z0-9]{0,39}$/;

/** The fields that may be written; how many may not is counted in `droppedFields`. */
export function allowedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const allowed: Record<string, unknown> = {};
  let dropped = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || key === 'error') continue;
    if (isAllowed(key, value)) allowed[key] = value;
    else dropped += 1;
  }
  if (dropped > 0) allowed['droppedFields'] = dropped;
  return allowed;
}

function isAllowed(key: string, value: unknown): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return IDENTIFIER.test(key);
  if (typeof value !== 'string' || !Object.hasOwn(TEXT_FIELDS, key)) return false;
  return SHAPES[TEXT_FIELDS[key as TextField]].test(value);
}
