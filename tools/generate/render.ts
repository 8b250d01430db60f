import {
  allSealedParts,
  contractFields,
  isLimited,
  RETENTION,
  SEALED_UNDER,
  SERVICES,
  type ColumnMark,
  type ContractField,
  type FieldMark,
  type Limit,
  type PersonalCategory,
  type SealedType,
  type StoreDeclaration,
  type Topic,
} from '@lethe/contracts';

const HOUR = 3_600_000;
const INTRODUCTION = `# The data map

Made by \`npm run generate\` from the marks that every contract, table and index carries where it is declared; never edited by hand.
CI fails where this page differs from the marks, and where a field, a table, a column, an index or a topic has none
([CONTRIBUTING.md](../CONTRIBUTING.md#a-new-personal-field-table-or-topic)).

How what is personal is protected:

- **sealed**: AES-256-GCM under a key that is derived from the secret of the person (or of the account) and of the period, all of
  which lie in the vault alone. With one of these secrets gone, every copy of the record is unreadable, wherever it is.
- **body**: a message's own content key, in the vault, destroyed at the body's drop time or before.
- **pseudonym**: an HMAC of the address under the account's key (Art. 4(5) GDPR): still personal, leads to nobody without that key.
- **clear, searchable**: Elasticsearch's indices alone, deleted by subject id out of the files themselves.

All else is opaque: ids, times, numbers and words of ours, and names that are published in DNS. A *subject id* is random; the vault
alone leads from an address to it.`;

/** The page, from declarations that have no faults. Every personal field is on it; the rest is named in one line per store. */
export function renderPrivacyMap(topics: readonly Topic[], stores: readonly StoreDeclaration[]): string {
  const parts = [...allSealedParts().keys()];
  return [
    INTRODUCTION,
    '## What is sealed together',
    'One seal per record and person. The fields inside, with their categories:',
    ...parts.map((type) => renderPart(type, topics, stores)),
    '## Topics',
    'What no handler could take goes to `<topic>-dead-letter`: the same bytes, the same limit, the same keys.',
    ...topics.map(renderTopic),
    '## Tables, indices and keys',
    ...SERVICES.filter((service) => stores.some(({ owner }) => owner === service)).flatMap((service) => [
      `### ${service}`,
      ...stores.filter(({ owner }) => owner === service).map(renderOneOf),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

function renderPart(type: SealedType, topics: readonly Topic[], stores: readonly StoreDeclaration[]): string {
  const carriers = [
    ...topics
      .filter(({ value }) => contractFields(value).some(({ mark }) => isSealedAs(mark, type)))
      .map(({ name }) => name),
    ...stores
      .filter(({ columns }) => Object.values(columns).some((mark) => isSealedAs(mark, type)))
      .map(({ store }) => store),
  ];
  const fields = partFields(type);
  return [
    `### \`${type}\`, under the key of the ${whose(type)}`,
    `In ${carriers.length > 0 ? carriers.map(code).join(', ') : 'no store yet'}.`,
    table(
      ['field', 'category'],
      fields.map(({ path, mark }) => [code(path), mark?.kind === 'personal' ? mark.category : (mark?.kind ?? '')]),
    ),
  ].join('\n\n');
}

function renderTopic(topic: Topic): string {
  const { name, what, key, producers, consumers, cleanup, value } = topic;
  const fields = contractFields(value);
  const readers = consumers.join(', ');
  const rows = [
    ...(topic.keyMark ? [['key', ...protection({ kind: topic.keyMark }), readers]] : []),
    ...fields.flatMap(({ path, mark }) =>
      mark?.kind === 'sealed' ? [[code(path), ...protection(mark), readers]] : [],
    ),
  ];
  return [
    `### \`${name}\``,
    sentence(what),
    list({
      key,
      'written by': producers.join(', '),
      'read by': readers,
      kept:
        cleanup.kind === 'time-limited'
          ? `at most ${duration(cleanup.limitMs)}: segments expire, and the period secrets with them`
          : 'the latest record of each key, until a tombstone; the heartbeat makes Kafka compact',
    }),
    rows.length > 0 ? table(['personal field', 'category', 'protected', 'read by'], rows) : 'No personal fields.',
    notPersonal(fields.filter(({ mark }) => mark?.kind !== 'sealed').map(({ path }) => path)),
  ].join('\n\n');
}

/** The fields of the indices of one kind are shown once, with the first of them. */
function renderOneOf(declaration: StoreDeclaration, index: number, siblings: readonly StoreDeclaration[]): string {
  const columns = JSON.stringify(declaration.columns);
  const like = siblings
    .slice(0, index)
    .find((other) => other.kind === 'index' && JSON.stringify(other.columns) === columns);
  return renderStore(declaration, like?.store);
}

function renderStore(declaration: StoreDeclaration, like?: string): string {
  const { store, owner, kind, what, limit, readers = [], columns, instructedUntil } = declaration;
  const users = [owner, ...readers].join(', ');
  const marked = Object.entries(columns);
  const rows = marked.flatMap(([name, mark]) => (isPersonal(mark) ? [[code(name), ...protection(mark), users]] : []));
  return [
    `#### \`${store}\``,
    sentence(what),
    list({
      kind,
      owner,
      ...(readers.length > 0 ? { 'read by': users } : {}),
      kept: keptUntil(limit, instructedUntil !== undefined),
    }),
    ...(like === undefined
      ? [
          rows.length > 0 ? table(['personal field', 'category', 'protected', 'read by'], rows) : 'No personal fields.',
          notPersonal(marked.filter(([, mark]) => !isPersonal(mark)).map(([name]) => name)),
        ]
      : [`The fields of ${code(like)}.`]),
  ].join('\n\n');
}

const PERSONAL_KINDS = new Set(['sealed', 'sealed-body', 'pseudonym', 'personal', 'key']);
const isPersonal = (mark: ColumnMark): boolean => PERSONAL_KINDS.has(mark.kind);

/** Categories, and how they are protected. */
function protection(mark: ColumnMark | Extract<FieldMark, { kind: 'sealed' }>): [category: string, how: string] {
  switch (mark.kind) {
    case 'sealed': {
      const types = 'types' in mark ? mark.types : [mark.type];
      const categories = types.flatMap((type) => partFields(type).flatMap((field) => categoryOf(field)));
      return [
        [...new Set(categories)].join(', '),
        types.map((type) => `sealed as \`${type}\`, ${whose(type)}’s key`).join('; '),
      ];
    }
    case 'sealed-body':
      return ['address, name, content', "body, the message's content key"];
    case 'pseudonym':
      return ['address', 'pseudonym'];
    case 'key':
      return ['key', 'wrapped by the key-encryption key'];
    case 'personal':
      return [mark.category, 'clear, searchable'];
    default:
      return ['', ''];
  }
}

const partFields = (type: SealedType): ContractField[] => {
  const part = allSealedParts().get(type);
  return part ? contractFields(part) : [];
};
const categoryOf = ({ mark }: ContractField): PersonalCategory[] => (mark?.kind === 'personal' ? [mark.category] : []);
const isSealedAs = (mark: ColumnMark | FieldMark | undefined, type: SealedType): boolean =>
  mark?.kind === 'sealed' && ('types' in mark ? mark.types.includes(type) : mark.type === type);
const whose = (type: SealedType): string => (SEALED_UNDER[type] === 'subject' ? 'person' : 'account');

function keptUntil(limit: Limit, instructed = false): string {
  if (!isLimited(limit)) return `until ${limit.until}`;
  const longer = `; ${duration(RETENTION.instructed.limitMs)} where its account has instructed us so in writing (class \`instructed\`)`;
  return `at most ${duration(limit.limitMs)} (class \`${limit.class}\`): ${limit.mechanism}${instructed ? longer : ''}`;
}

function duration(ms: number): string {
  const hours = ms / HOUR;
  if (hours < 1) return `${ms / 60_000} minutes`;
  return hours % 24 === 0 && hours > 24 ? `${hours / 24} days` : `${hours} hours`;
}

const code = (text: string): string => `\`${text}\``;
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
const list = (entries: Record<string, string>): string =>
  Object.entries(entries)
    .map(([name, text]) => `- ${name}: ${text}`)
    .join('\n');
const notPersonal = (names: readonly string[]): string =>
  names.length > 0 ? `Not personal: ${names.map(code).join(', ')}.` : 'Everything in it is personal.';
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
