import { randomBytes } from 'node:crypto';
import { basic, createDemo, form, KeyProof, scanForOctets, sendMessage, until } from '@lethe/testing';
import type { Demo, Needle, SealedValue, Tried } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate, Erasure } from '../../support/erasure-api.ts';
import { saveStores, secretsIn, type SavedStores } from '../../support/erasure-copy.ts';
import { MarkedPerson, sendMarked } from '../../support/erasure-mails.ts';
import { allRows, indexedEvents, type IndexedEvent, type Rows } from '../../support/erasure-records.ts';
import { deletedDocuments, everywhere } from '../../support/erasure-scan.ts';
import { WAITING_SETTINGS } from '../../support/erasure-scene.ts';
import { startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { idle, query } from '../../support/pipeline.ts';

/** Two accounts that do the same: one is closed, the other stays. */
const WAITING_EACH = 3;
/** From the order to the certificate. */
const LIMIT_MS = 120_000;

interface Customer {
  readonly demo: Demo;
  readonly person: MarkedPerson;
  /** What stands nowhere but in what it had sent, and what it typed. */
  readonly marks: Needle[];
}

let own: OwnPlatform;
let closing: Customer;
let staying: Customer;
const before = {} as { saved: SavedStores; events: Map<string, IndexedEvent>; rows: Rows; messages: Set<string> };
const after = {} as { erasure: Erasure; certificate: Certificate; deadMs: number };

beforeAll(async () => {
  own = await startOwnPlatform('closing', { settings: WAITING_SETTINGS, world: { greylistMs: 3_600_000 } });
  const { platform } = own;
  closing = await lively(own.demo, 'Ana');
  staying = await lively(await createDemo(platform.gateway, platform.secrets.operatorToken, 'staying.example'), 'Bob');
  await idle(own, 120_000, 2 * WAITING_EACH);
});
afterAll(() => own?.stop());

/** As a customer's key, or the operator's token, does it. */
async function call(who: Demo | 'operator', method: string, path: string, body?: BodyInit): Promise<Response> {
  const { gateway, secrets } = own.platform;
  return fetch(`${gateway}${path}`, {
    method,
    headers: { authorization: who === 'operator' ? `Bearer ${secrets.operatorToken}` : basic(who.apiKey) },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(30_000),
  });
}

async function done(answer: Promise<Response>): Promise<void> {
  const { ok, status, url } = await answer;
  if (!ok) throw new Error(`${new URL(url).pathname} was answered ${status}`);
}

/** Mail that is delivered, bounced, deferred and scheduled; a template, a list, a suppression of its own. */
async function lively(demo: Demo, name: string): Promise<Customer> {
  const [person, listed] = [new MarkedPerson(name), new MarkedPerson(`${name}, listed`)];
  const marks: Needle[] = [...listed.needles];
  const mark = (what: string): string => {
    const value = `${what} ${randomBytes(6).toString('hex')}`;
    marks.push({ name: `${name}: ${what}`, value });
    return value;
  };
  const as = { ...own, demo };
  for (const behaviour of ['ok', 'temperror', 'greylist'] as const) {
    const mail = await sendMarked(as, { title: `${name}, ${behaviour}`, to: [person.mailbox(behaviour)] });
    marks.push(...mail.marks);
  }
  const raw = await sendMarked(as, { title: `${name}, raw`, to: [person.mailbox('ok')], mime: true });
  marks.push(...raw.marks);
  const template = form({ name: `welcome-${name.toLowerCase()}`, template: `Hello, ${mark('template')}` });
  await done(call(demo, 'POST', `/v3/${demo.domain}/templates`, template));
  const list = `team-${person.unique}@${demo.domain}`;
  await done(call(demo, 'POST', '/v3/lists', form({ address: list, description: mark('list') })));
  const member = form({ address: listed.address('ok'), name: mark('member') });
  await done(call(demo, 'POST', `/v3/lists/${list}/members`, member));
  const user = form({ email: listed.address('ok'), name: mark('user'), role: 'owner' });
  await done(call(demo, 'POST', '/v1/users', user));
  const bounce = form({ address: person.address('full'), error: mark('bounce') });
  await done(call(demo, 'POST', `/v3/${demo.domain}/bounces`, bounce));
  const later = form({
    from: `app@${demo.domain}`,
    to: person.mailbox('ok'),
    subject: mark('scheduled subject'),
    text: mark('scheduled text'),
    'o:deliverytime': String(Math.floor(Date.now() / 1_000) + 86_400),
  });
  await done(sendMessage(own.platform.gateway, demo, later));
  // Last: it makes a suppression.
  marks.push(...(await sendMarked(as, { title: `${name}, bounced`, to: [person.mailbox('550')] })).marks);
  return { demo, person, marks };
}

const opened = (tried: readonly Tried<unknown>[]) => tried.filter(({ plaintext }) => plaintext !== null).length;
const values = (): SealedValue[] => Object.values(before.saved.values).flat();
const needlesOf = ({ person, marks }: Customer): Needle[] => [...person.needles, ...marks];

describe('before one is closed', () => {
  it('everything that is saved of both opens', async () => {
    before.saved = await saveStores(own);
    const proof = new KeyProof(before.saved.secrets, []);
    expect(proof.values(values()).filter(({ plaintext }) => plaintext === null)).toEqual([]);
    expect(proof.bodies(before.saved.bodies).filter(({ plaintext }) => plaintext === null)).toEqual([]);
    const types = (account: string) =>
      new Set(values().flatMap((value) => (value.account === account ? value.type : [])));
    expect(types(closing.demo.accountId)).toEqual(types(staying.demo.accountId));
    for (const type of [
      'envelope',
      'dkim-key',
      'suppression',
      'mailing-list',
      'list-member',
      'template-content',
      'user',
    ]) {
      expect(types(closing.demo.accountId)).toContain(type);
    }
  });

  it('both are in the search index and in the queues', async () => {
    before.events = await indexedEvents(own);
    before.rows = await allRows(own);
    const rows = await query(own, 'ingest', `SELECT id FROM message WHERE account_id = '${closing.demo.accountId}'`);
    before.messages = new Set(rows.map(({ id }) => String(id)));
    expect(before.messages.size).toBe(6);
    for (const { demo } of [closing, staying]) {
      const theirs = [...before.events.values()].filter(({ account }) => account === demo.accountId);
      expect(theirs.length).toBeGreaterThan(8);
    }
  });
});

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one.localeCompare(other);

describe('after it is closed', () => {
  beforeAll(async () => {
    const begin = performance.now();
    await done(call('operator', 'DELETE', `/v1/accounts/${closing.demo.accountId}`));
    const dead = async () => (await call(closing.demo, 'GET', '/v4/domains')).status === 401;
    if (!(await until(dead, 5_000, 20))) throw new Error('its keys still open the gateway');
    after.deadMs = performance.now() - begin;
    const path = `/v1/accounts/${closing.demo.accountId}/closing`;
    const completed = async (): Promise<boolean> => {
      const response = await call('operator', 'GET', path);
      if (response.ok) after.erasure = (await response.json()) as Erasure;
      return response.ok && after.erasure.state === 'completed';
    };
    if (!(await until(completed, LIMIT_MS, 200))) throw new Error(`not closed: ${JSON.stringify(after.erasure)}`);
    console.log(`from DELETE to certificate: ${((performance.now() - begin) / 1_000).toFixed(1)} s`);
    after.certificate = (await (await call('operator', 'GET', `${path}/certificate`)).json()) as Certificate;
  }, 240_000);

  it('its keys are dead, and it is certified', () => {
    console.log(`keys dead after ${after.deadMs.toFixed(0)} ms`);
    expect(after.certificate.payload).toMatchObject({
      account: closing.demo.accountId,
      type: 'account-erasure',
      scope: { of: 'account' },
      kept: [],
    });
    const removed = Object.fromEntries(after.erasure.holders.map((holder) => [holder.service, holder.removed]));
    expect(removed).toMatchObject({
      ingest: { message: 6, body: 6, list: 1, member: 1, template: 1 },
      delivery: { deferred: WAITING_EACH },
      suppression: { suppression: 2 },
    });
    expect(Object.keys(removed)).toEqual(expect.arrayContaining(['accounts', 'events', 'privacy']));
  });

  it('no byte of any store or log holds what was written to anybody, or typed, for it', async () => {
    expect(await everywhere(own, needlesOf(closing))).toEqual([]);
    expect(await deletedDocuments(own)).toEqual({});
  });

  it('no row and no event is left of it, and its neighbour’s are as they were', async () => {
    const id = closing.demo.accountId;
    const [rows, events] = [await allRows(own), await indexedEvents(own)];
    const named = [...rows].flatMap(([table, texts]) => (texts.some((text) => text.includes(id)) ? table : []));
    expect(named).toEqual([]);
    const others = [...before.events].filter(([, { account }]) => account !== id);
    expect([...events].toSorted(byName)).toEqual(others.toSorted(byName));
    const theirs = (all: Rows) =>
      [...all]
        .toSorted(byName)
        .flatMap(([table, texts]) =>
          texts.filter((text) => text.includes(staying.demo.accountId)).map((text) => `${table} ${text}`),
        );
    expect(theirs(rows)).toEqual(theirs(before.rows));
    expect(theirs(rows).length).toBeGreaterThan(15);
  });

  it('with every secret that is left nothing of it opens that was saved before, and all of its neighbour’s', async () => {
    const proof = new KeyProof(await secretsIn(own), []);
    const tried = proof.values(values());
    const [gone, left] = [true, false].map((its) =>
      tried.filter(({ sealed }) => (sealed.account === closing.demo.accountId) === its),
    ) as [typeof tried, typeof tried];
    expect(gone.length).toBeGreaterThan(30);
    expect(opened(gone)).toBe(0);
    expect(opened(left)).toBe(left.length);
    const bodies = proof.bodies(before.saved.bodies);
    const closed = bodies.filter(({ sealed }) => before.messages.has(sealed.messageId));
    expect(closed).toHaveLength(6);
    expect(opened(closed)).toBe(0);
    expect(opened(bodies)).toBe(bodies.length - closed.length);
  });

  it('and the octets of its secrets are in no file', async () => {
    const subjects = values().flatMap(({ account, subject }) => (account === closing.demo.accountId ? subject : []));
    const gone = new Set([closing.demo.accountId, ...before.messages, ...subjects]);
    const destroyed = before.saved.secrets
      .filter(({ ids }) => ids.some((id) => gone.has(id)))
      .flatMap(({ table, wrapped, secret }) => [
        { name: `wrapped, of ${table}`, octets: wrapped },
        { name: `open, of ${table}`, octets: secret },
      ]);
    expect(destroyed.length).toBeGreaterThan(20);
    expect((await scanForOctets([own.stores.dir], destroyed)).findings).toEqual([]);
  });

  it('its neighbour’s mail flows, and its stored mail is read', async () => {
    const { demo } = staying;
    const back = new MarkedPerson('Cleo');
    await sendMarked({ ...own, demo }, { title: 'later', to: [back.mailbox('ok')] });
    const arrived = async (): Promise<boolean> => {
      const response = await fetch(`${own.world.http}/count?to=${encodeURIComponent(back.address('ok'))}`);
      return ((await response.json()) as { count: number }).count === 1;
    };
    expect(await until(arrived, 30_000)).toBe(true);
    const [row] = await query(own, 'ingest', `SELECT id FROM message WHERE account_id = '${demo.accountId}' LIMIT 1`);
    expect((await call(demo, 'GET', `/v3/domains/${demo.domain}/messages/${String(row?.['id'])}`)).status).toBe(200);
  });
});
