import { randomUUIDv7 } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { IndexerService } from '../src/index/indexer.service.ts';
import { EventLimits } from '../src/retention/event.limits.ts';
import { inFiles } from './support/events-world.ts';
import { startSurroundings, type Surroundings } from './support/surroundings.ts';

const DAY = 86_400_000;
/** What is removed is taken out of the files before the next round, which takes half a minute. */
const WAIT = { timeout: 150_000, interval: 250 };
const LIMIT_MS = 480_000;

let around: Surroundings;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
}, 120_000);
afterAll(() => around?.close());
beforeEach(async () => {
  await Promise.all([around.publishDomain({}), around.publishAccount({})]);
  // Whatever the test before has said, nobody goes by it any more.
  const asBefore = () => {
    const short = around.app().get(EventLimits, { strict: false }).shortened();
    return short?.domains.size === 0 && short.accounts.size === 0;
  };
  if (!(await until(asBefore, 30_000))) throw new Error('events goes by what an earlier test has said');
});

/** Events of the domain, each so many days old; recipients are `<name><days>@people.example`. */
const publish = (name: string, ...days: number[]) =>
  around.publish(days.map((ago) => ({ to: `${name}${ago}@people.example`, at: Date.now() - ago * DAY - 1_000 })));
const documents = async (name: string): Promise<string[]> =>
  (await around.documents())
    .map(({ recipient }) => recipient)
    .filter((recipient) => recipient.startsWith(name))
    .toSorted();
const left = (name: string, ...days: number[]) =>
  expect.poll(() => documents(name), WAIT).toEqual(days.map((ago) => `${name}${ago}@people.example`));

it(
  'shortened, a retention is one for what is there: out of the index, out of its files, in the order of age',
  async () => {
    await publish('short', 0, 2, 5, 20);
    await around.indexed(4, /^short/);
    await around.publishDomain({ eventsDays: 7 });
    await left('short', 0, 2, 5);
    await around.publishDomain({ eventsDays: 1 });
    await left('short', 0);
    await expect
      .poll(() => inFiles(around, inject('stores'), ['short5@people.example', 'short0@people.example']), WAIT)
      .toEqual(['short0@people.example']);
  },
  LIMIT_MS,
);

it(
  'of an account is one for what is left of domains that are gone, and none for a domain that keeps it',
  async () => {
    await publish('ended', 2);
    await around.publish([{ to: 'orphan@people.example', at: Date.now() - 2 * DAY, domainId: randomUUIDv7() }]);
    await around.indexed(2, /^(ended|orphan)/);
    await around.publishAccount({ retention: { bodiesDays: 7, eventsDays: 1 } });
    await left('orphan');
    expect(await documents('ended')).toEqual(['ended2@people.example']);
    await around.publishDomain(null);
    await left('ended');
  },
  LIMIT_MS,
);

it(
  'is in force for searches within a moment, before anything is removed, and brings nothing back that comes again',
  async () => {
    const patient = await startSurroundings(inject('stores'), { RETENTION_WORK_MS: String(DAY) });
    try {
      const mails = [0, 4].map((ago) => ({ to: `seen${ago}@people.example`, at: Date.now() - ago * DAY }));
      const events = await patient.publish(mails);
      await patient.indexed(2);
      const seen = async () => {
        const { status, body } = await patient.query('ascending=yes');
        return status === 200 ? (body['items'] as { recipient: string }[]).map(({ recipient }) => recipient) : status;
      };
      await expect.poll(seen, WAIT).toEqual(['seen4@people.example', 'seen0@people.example']);
      await patient.publishDomain({ eventsDays: 3 });
      await expect.poll(seen, WAIT).toEqual(['seen0@people.example']);
      expect(await patient.documents()).toHaveLength(2);
      const outcomes = await patient.app().get(IndexerService, { strict: false }).indexAll(events);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['indexed', 'past']);
    } finally {
      await patient.close();
    }
  },
  LIMIT_MS,
);
