import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  column,
  MAIL_ACCEPTED,
  MAIL_EVENTS,
  SERVICES,
  TOPICS,
  type StoreDeclaration,
  type Topic,
} from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { declaredStores } from './declared-stores.ts';
import { storeFaults, topicFaults } from './faults.ts';
import { PRIVACY_MAP, privacyMap } from './privacy-map.ts';
import { renderPrivacyMap } from './render.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, PRIVACY_MAP), 'utf8');

describe('docs/privacy-map.md', () => {
  it('is what the marks say: run "npm run generate" and look at what changed', { timeout: 60_000 }, async () => {
    expect(page).toBe(await privacyMap(root));
  });

  it('names every topic, every declared store and every service that has one', async () => {
    const stores = await declaredStores(root);
    expect(stores.length).toBeGreaterThan(10);
    for (const { name } of TOPICS) expect(page).toContain(`### \`${name}\``);
    for (const { store } of stores) expect(page).toContain(`#### \`${store}\``);
    for (const owner of new Set(stores.map((store) => store.owner))) expect(SERVICES).toContain(owner);
  });

  it('shows where a mark changes', () => {
    const marked = renderPrivacyMap([], [store]);
    expect(renderPrivacyMap([], [{ ...store, columns: { ...store.columns, name: column.pseudonym } }])).not.toBe(
      marked,
    );
    expect(renderPrivacyMap([], [{ ...store, limit: { until: 'tomorrow' } }])).not.toBe(marked);
  });
});

const store: StoreDeclaration = {
  store: 'events.planted',
  owner: 'events',
  kind: 'table',
  what: 'planted',
  limit: { class: 'e7', limitMs: 7 * 86_400_000, mechanism: 'a row is deleted on its day' },
  table: 'public.planted',
  age: 'at',
  columns: { id: column.opaque, at: column.instant, envelope: column.sealed('envelope') },
};
const planted = (change: object): string[] => storeFaults([{ ...store, ...change }]);

describe('a declaration is refused', () => {
  it('not while it is whole', () => expect(planted({})).toEqual([]));

  it.each([
    ['without a limit', { limit: undefined }, 'has no limit'],
    ['with an empty limit', { limit: { until: '' } }, 'has no limit'],
    ['with nothing that removes it', { limit: { ...store.limit, mechanism: '' } }, 'without class or mechanism'],
    ['beyond its class', { limit: { ...store.limit, limitMs: 8 * 86_400_000 } }, 'class e7 does not allow'],
    ['without an owner', { owner: undefined, store: 'events.planted' }, 'has no owner'],
    ['with an owner that is no service', { owner: 'nobody' }, 'has no owner'],
    ['without words', { what: '' }, 'does not say what it holds'],
    ['under another’s name', { store: 'ingest.planted' }, 'is named <owner>.<name>'],
    ['without its table', { table: undefined }, 'is a table and names none'],
    ['without columns', { columns: {}, age: undefined }, 'has no columns'],
    ['with an age that is no column', { age: 'elsewhere' }, 'age from a column that is not declared'],
    [
      'kept until a column that is none',
      { instructedUntil: 'elsewhere' },
      'until when it is kept by a column that is not declared',
    ],
    ['with an unmarked column', { columns: { at: column.instant, name: undefined } }, 'name is not marked'],
    [
      'in clear outside an index',
      { columns: { at: column.instant, name: { kind: 'personal', category: 'name' } } },
      'personal in clear',
    ],
    [
      'sealed as nothing known',
      { columns: { at: column.instant, name: { kind: 'sealed', types: ['secret'] } } },
      'sealed as something',
    ],
  ])('%s', (_, change, fault) => expect(planted(change).join('\n')).toContain(fault));

  it('twice', () => {
    expect(storeFaults([store, store])).toEqual([
      'events.planted: is declared twice',
      'events public.planted: is declared twice',
    ]);
  });
});

/** A leaf that no function of fields.ts made. */
const unmarked = MAIL_ACCEPTED.value.keyof();

describe('a topic is refused', () => {
  const changed = (change: object): string[] => topicFaults([{ ...(MAIL_EVENTS as Topic), ...change }]);

  it('not as they stand', () => expect(topicFaults(TOPICS)).toEqual([]));

  it.each([
    ['without retention', { cleanup: undefined }, 'keeps records longer than its limit'],
    ['with no time to live', { cleanup: { kind: 'time-limited', limitMs: 0 } }, 'keeps records longer'],
    [
      'with less than the broker can do',
      { cleanup: { kind: 'time-limited', limitMs: 300_000 } },
      'keeps records longer',
    ],
    ['without a producer', { producers: [] }, 'has no producer'],
    ['without a consumer', { consumers: [] }, 'has no consumer'],
    ['with dead letters of another', { deadLetter: 'mail-accepted-dead-letter' }, 'has no dead letters'],
    ['with an unmarked field', { value: MAIL_ACCEPTED.value.extend({ planted: unmarked }) }, 'planted is not marked'],
  ])('%s', (_, change, fault) => expect(changed(change).join('\n')).toContain(fault));
});

describe('declared stores', () => {
  it('are found wherever a stores.ts is, and one that declares none is an error', async () => {
    const workspace = mkdtempSync(join(tmpdir(), 'lethe-stores-'));
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(workspace, file)), { recursive: true });
      writeFileSync(join(workspace, file), text);
    };
    try {
      write('package.json', '{"type":"module"}');
      write('libs/a/src/deep/stores.ts', `export const A = [{ store: 'events.a', owner: 'events' }];`);
      write('apps/b/src/privacy/stores.ts', `export const B = [{ store: 'accounts.b', owner: 'accounts' }];`);
      write('libs/contracts/src/stores.ts', 'export const no = 1;');
      expect((await declaredStores(workspace)).map(({ store }) => store)).toEqual(['accounts.b', 'events.a']);
      write('apps/c/src/privacy/stores.ts', 'export const nothing = 1;');
      await expect(declaredStores(workspace)).rejects.toThrow(/apps\/c\/src\/privacy\/stores\.ts exports no list/);
    } finally {
      rmSync(workspace, { recursive: true });
    }
  });
});
