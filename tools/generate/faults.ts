import {
  allSealedParts,
  contractFields,
  isLimited,
  RETENTION,
  RETENTION_CHECK_MS,
  SERVICES,
  topicConfig,
  type ColumnMark,
  type Limit,
  type RetentionClass,
  type StoreDeclaration,
  type Topic,
} from '@lethe/contracts';

/**
 * What is wrong with declarations: each a line that says where, and what to do. Types say most of it; this is for what types let
 * pass (an empty word, a cast), and says it where a person looks.
 */
export function storeFaults(stores: readonly StoreDeclaration[]): string[] {
  const names = stores.map(({ store }) => store);
  const tables = stores.flatMap(({ owner, table }) => (table === undefined ? [] : [`${owner} ${table}`]));
  return [
    ...doubled(names).map((store) => `${store}: is declared twice`),
    ...doubled(tables).map((table) => `${table}: is declared twice`),
    ...stores.flatMap((store) => faultsOf(store).map((fault) => `${store.store}: ${fault}`)),
  ];
}

function faultsOf(declaration: StoreDeclaration): string[] {
  const { store, owner, kind, what, limit, table, age, instructedUntil, columns } = declaration;
  const wrong: Record<string, boolean> = {
    'has no owner: name the service that answers for it': !SERVICES.includes(owner),
    // The vault is an instance of its own: its stores have its name, and privacy answers for them.
    'is named <owner>.<name>':
      !/^[a-z]+\.[a-z][a-z0-9_-]*$/.test(store) || ![owner, 'vault'].includes(store.split('.')[0]!),
    'does not say what it holds and what for': !what,
    'has no columns': Object.keys(columns ?? {}).length === 0,
    'is a table and names none: schema and name, such as public.message':
      kind === 'table' && !/^\w+\.\w+$/.test(table ?? ''),
    'takes its age from a column that is not declared': age !== undefined && !(age in columns),
    'says until when it is kept by a column that is not declared':
      instructedUntil !== undefined && !(instructedUntil in columns),
  };
  return [
    ...Object.entries(wrong).flatMap(([fault, found]) => (found ? [fault] : [])),
    ...limitFaults(limit),
    ...Object.entries(columns ?? {}).flatMap(([name, mark]) => markFaults(name, mark, kind)),
  ];
}

function limitFaults(limit: Limit | undefined): string[] {
  if (limit === undefined) return ['has no limit: say when what it holds is gone, and what removes it'];
  if (!isLimited(limit)) return limit.until ? [] : ['has no limit: say until when it is kept'];
  const most = RETENTION[limit.class as RetentionClass]?.limitMs ?? Infinity;
  return [
    ...(limit.class && limit.mechanism ? [] : ['has a limit without class or mechanism: say what removes it']),
    ...(limit.limitMs > 0 && limit.limitMs <= most ? [] : [`has a limit that its class ${limit.class} does not allow`]),
  ];
}

function markFaults(name: string, mark: ColumnMark | undefined, kind: StoreDeclaration['kind']): string[] {
  if (mark?.kind === undefined) return [`${name} is not marked: say whether it is personal`];
  if (mark.kind === 'personal' && kind !== 'index')
    return [`${name} is personal in clear: only an index may be; seal it`];
  if (mark.kind === 'sealed' && !mark.types.every((type) => allSealedParts().has(type))) {
    return [`${name} is sealed as something libs/contracts does not know`];
  }
  return [];
}

/** What is wrong with topics: an unmarked or unsealed field, nobody who answers for it, records that outlive their limit. */
export function topicFaults(topics: readonly Topic[]): string[] {
  return topics.flatMap((topic) => {
    const { name, what, key, producers, consumers, deadLetter, value } = topic;
    const fields = contractFields(value);
    const wrong: Record<string, boolean> = {
      'has no producer: somebody has to answer for it': producers.length === 0,
      'has no consumer: nobody needs it, so nobody may keep it': consumers.length === 0,
      'does not say what it carries, and under which key': !what || !key,
      'has no dead letters of its own': deadLetter !== `${name}-dead-letter`,
      'keeps records longer than its limit': !forgetsInTime(topic),
    };
    return [
      ...Object.entries(wrong).flatMap(([fault, found]) => (found ? [fault] : [])),
      ...fields.flatMap(({ path, mark }) =>
        mark ? [] : [`${path} is not marked: make it with a function of fields.ts`],
      ),
      ...fields.flatMap(({ path, mark }) =>
        mark?.kind === 'personal' ? [`${path} is personal in clear: seal it`] : [],
      ),
    ].map((fault) => `${name}: ${fault}`);
  });
}

/** retention + segment + the broker's check ≤ limit (design §3); compacted topics forget by tombstone and heartbeat. */
function forgetsInTime(topic: Topic): boolean {
  if (topic.cleanup?.kind === 'compacted') return true;
  if (topic.cleanup?.kind !== 'time-limited') return false;
  const config = topicConfig(topic);
  const longest = Number(config['retention.ms']) + Number(config['segment.ms']) + RETENTION_CHECK_MS;
  return longest > 0 && longest <= topic.cleanup.limitMs;
}

const doubled = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];
