import { randomUUID } from 'node:crypto';
import { PersonalDataHolder, type Scope } from '@lethe/privacy-holder';
import { createClient, Search, SearchError } from '@lethe/search';
import { isUnavailable } from '@lethe/service';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EventIndex } from '../src/index/event.index.ts';
import { IndexerService } from '../src/index/indexer.service.ts';
import { EventErasure } from '../src/privacy/event.erasure.ts';
import { inFiles, mailsOf, PLANTED } from './support/events-world.ts';
import { startSurroundings, type Surroundings } from './support/surroundings.ts';

/** One pass in Elasticsearch takes half a minute, more on a machine that others use too. */
const PASS_MS = 120_000;

let around: Surroundings;
let holder: PersonalDataHolder;
const provided = <T>(type: abstract new (...args: never[]) => T): T =>
  around.app().get(type as never, { strict: false });
const scope = async (...addresses: string[]): Promise<Scope & { doNotContact: 'remove' }> => ({
  requestId: 'request',
  accountId: around.account,
  subjects: new Set(await Promise.all(addresses.map((address) => around.subjectOf(address)))),
  cutOff: Date.now(),
  doNotContact: 'remove',
});

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
  holder = provided(PersonalDataHolder);
}, PASS_MS);
afterAll(() => around?.close());

describe('an erasure', () => {
  it('leaves no byte in a file, even where an attempt before it ended half-way', { timeout: PASS_MS }, async () => {
    const [erased, stays] = ['uq7zkx4erased@people.example', 'wj3vpy9stays@people.example'];
    const marks = ['uq7zkx4erased', 'wj3vpy9stays'];
    await around.publish([...mailsOf(erased, 'third@people.example'), { to: stays, cc: ['third@people.example'] }]);
    await around.indexed(6, /uq7|third|wj3/);
    const search = around.search;
    await search.call((client) => client.indices.flush({ index: `${around.prefix}events-*` }));
    expect(await inFiles(around, inject('stores'), marks)).toEqual(marks);
    const whom = await scope(erased);
    // Killed here: what it removed is nobody's finding any more, and still in the files.
    expect(await provided(EventErasure).remove(whom.accountId, whom.subjects)).toEqual(PLANTED);
    expect(await inFiles(around, inject('stores'), marks)).toEqual(marks);
    const before = Date.now();
    const { found, removed, expungedAt } = await holder.erase(whom);
    expect([found, removed]).toEqual([{}, {}]);
    expect(expungedAt).toBeGreaterThan(before);
    expect(await inFiles(around, inject('stores'), marks)).toEqual([marks[1]]);
  });

  it('waits at its fence for what was opened before it', async () => {
    const [event] = await around.publish([{ to: 'fenced@people.example' }]);
    await around.indexed(1, /fenced/);
    let ended = false;
    const batch = provided(IndexerService)
      .indexAll(Array.from({ length: 50 }, () => event))
      .then(() => (ended = true));
    await holder.fence(await scope('fenced@people.example'));
    expect(ended).toBe(true);
    await batch;
  });

  it('is not undone by what comes late: a new event, and an old one again', { timeout: PASS_MS }, async () => {
    const late = 'late@people.example';
    const events = await around.publish([{ to: late }, { to: 'friend@people.example', cc: [late] }]);
    const before = (await around.indexed(2, /late|friend/)).find(({ recipient }) => recipient !== late);
    const whom = await scope(late);
    const published = around.publish([{ to: late }, { to: 'friend2@people.example', cc: [late] }], () =>
      around.fence(late),
    );
    await published;
    await provided(EventErasure).remove(whom.accountId, whom.subjects);
    await around.republish(events);
    await around.publish([{ to: 'marker@people.example' }]);
    await around.indexed(1, /marker/);
    const documents = await around.indexed(2, /late|friend/);
    expect(JSON.stringify(documents)).not.toContain(late);
    const after = documents.find(({ recipient }) => recipient === 'friend@people.example');
    expect(after).toEqual({
      ...before,
      subjects: before!.subjects.filter((subject) => !whom.subjects.has(subject)),
      people: before!.people.filter(({ subject }) => !whom.subjects.has(subject)),
      recipients: ['friend@people.example'],
    });
    expect(await holder.verify(whom)).toEqual({});
  });

  it('of a document that others are taken out of at the same moment takes out all of them', async () => {
    const people = Array.from({ length: 12 }, (_, index) => `crowd${index}@people.example`);
    const [, ...mentioned] = people;
    await around.publish(people.slice(0, 3).map((to) => ({ to, cc: mentioned.filter((each) => each !== to) })));
    await around.indexed(3, /crowd/);
    const scopes = await Promise.all(mentioned.map((address) => scope(address)));
    await Promise.all(scopes.map(({ accountId, subjects }) => provided(EventErasure).remove(accountId, subjects)));
    const left = (await around.documents()).filter(({ recipient }) => recipient.startsWith('crowd'));
    expect(left.map(({ recipients }) => recipients)).toEqual([['crowd0@people.example']]);
    expect(JSON.stringify(left)).not.toMatch(/crowd[^0]/);
  });

  it('counts a document once, before as while it removes, however many people it is asked about', async () => {
    const [first, last] = ['first-of@people.example', 'last-of@people.example'];
    await around.publish([
      { to: last, cc: [first] },
      { to: 'stranger@people.example', cc: [first, last] },
    ]);
    await around.indexed(2, /-of@|stranger/);
    const [{ accountId, subjects: one }, { subjects: other }] = [await scope(first), await scope(last)];
    // In different parts of the list.
    const subjects = new Set([...one, ...Array.from({ length: 1_500 }, () => randomUUID()), ...other]);
    const erasure = provided(EventErasure);
    expect(await erasure.count(accountId, subjects)).toEqual({ event: 1, mention: 1 });
    expect(await erasure.remove(accountId, subjects)).toEqual({ event: 1, mention: 1 });
    expect(await erasure.count(accountId, subjects)).toEqual({ event: 0, mention: 0 });
  });

  it('of 1,000 people is one pass', { timeout: PASS_MS }, async () => {
    const own = createClient({ ELASTICSEARCH_URL: inject('stores').elasticsearch, ELASTICSEARCH_TIMEOUT_MS: 60_000 });
    const asked: string[] = [];
    own.diagnostic.on('request', (_error, request) => asked.push(request?.meta.request.params.path ?? ''));
    const people = Array.from({ length: 1_000 }, (_, index) => `many${index}@people.example`);
    await around.publish(people.map((to, index) => ({ to, cc: [people[(index + 1) % 1_000]] })));
    await around.publish(people.map((each) => ({ to: 'one@people.example', cc: [each] })));
    await around.indexed(2_000, /many|one@/);
    const erasure = new EventErasure(new Search(own), provided(EventIndex));
    const { accountId, subjects } = await scope(...people);
    expect(await erasure.count(accountId, subjects)).toEqual({ event: 1_000, mention: 1_000 });
    const started = performance.now();
    expect(await erasure.remove(accountId, subjects)).toEqual({ event: 1_000, mention: 1_000 });
    await erasure.expunge();
    expect(performance.now() - started).toBeLessThan(PASS_MS);
    expect(asked.filter((path) => path.includes('_forcemerge'))).toHaveLength(1);
    expect(asked.filter((path) => path.includes('_bulk')).length).toBeLessThan(20);
    expect(await erasure.count(accountId, subjects)).toEqual({ event: 0, mention: 0 });
    await own.close();
  });

  it('says so when Elasticsearch is away, so that it is asked again', async () => {
    const away = createClient({ ELASTICSEARCH_URL: 'http://127.0.0.1:1', ELASTICSEARCH_TIMEOUT_MS: 1_000 });
    const erasure = new EventErasure(new Search(away), provided(EventIndex));
    for (const step of [
      erasure.remove(around.account, new Set(['anyone'])),
      erasure.count(around.account, new Set(['anyone'])),
      erasure.expunge(),
    ]) {
      const failure: unknown = await step.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SearchError);
      expect(isUnavailable(failure)).toBe(true);
    }
    await away.close();
  });
});
