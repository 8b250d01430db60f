import { createDemo, form, get, sendMessage, until, type Demo } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Erasures, type Erasure } from '../../support/erasure-api.ts';
import { secretsIn } from '../../support/erasure-copy.ts';
import { erasedSubjects, leftOf } from '../../support/erasure-ledger.ts';
import { indexedEvents } from '../../support/erasure-records.ts';
import { startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';

const GREYLIST_MS = 60_000;

let own: OwnPlatform;
let other: Demo;
let erasures: Erasures;

beforeAll(async () => {
  own = await startOwnPlatform('again', {
    settings: { RETRY_DELAYS: '2s,2s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s' },
    world: { greylistMs: GREYLIST_MS },
  });
  other = await createDemo(own.platform.gateway, own.platform.secrets.operatorToken, 'other.example');
  erasures = new Erasures(own);
});
afterAll(() => own?.stop());

async function send(recipients: Record<string, string>, demo: Demo = own.demo): Promise<string> {
  const fields = { from: `ann@${demo.domain}`, subject: 'Hello', text: 'Hello there', ...recipients };
  const response = await sendMessage(own.platform.gateway, demo, form(fields));
  const { id } = (await response.json()) as { id?: string };
  if (id === undefined) throw new Error(`answered ${response.status}`);
  return id.slice(1, -1);
}

async function arrived(to: string): Promise<number> {
  const response = await fetch(`${own.world.http}/count?to=${encodeURIComponent(to)}`);
  return ((await response.json()) as { count: number }).count;
}

interface Item {
  event: string;
  reason?: string;
  'delivery-status'?: { code: number };
  message: { headers: Record<string, string> };
}

async function events(to: string, demo: Demo = own.demo): Promise<Item[]> {
  const search = new URLSearchParams({ recipient: to });
  const response = await get(`${own.platform.gateway}/v3/${demo.domain}/events?${search.toString()}`, demo.apiKey);
  return ((await response.json()) as { items: Item[] }).items;
}

const kinds = async (to: string, demo: Demo = own.demo) =>
  (await events(to, demo)).map(({ event }) => event).toSorted();
const delivered = async (to: string, demo: Demo = own.demo) => {
  const both = async () => (await kinds(to, demo)).join() === 'accepted,delivered';
  expect(await until(both, 30_000, 200)).toBe(true);
};

describe('somebody who comes back a moment later', () => {
  const to = 'ok+back@world.example';

  it('is somebody new, who gets mail and has events of their own', async () => {
    await send({ to });
    await delivered(to);
    const { erasure } = await erasures.erase({ subjects: [{ address: to }], do_not_contact: 'remove' });
    expect(await events(to)).toEqual([]);
    const before = await erasedSubjects(own, erasure.id);
    const id = await send({ to });
    await delivered(to);
    expect(await arrived(to)).toBe(2);
    expect((await events(to)).map(({ message }) => message.headers['message-id'])).toEqual([id, id]);
    const now = [...(await indexedEvents(own)).values()].filter(({ recipients }) => recipients.includes(to));
    const subjects = new Set(now.map(({ recipient_subject: subject }) => subject));
    expect(subjects.size).toBe(1);
    expect(before.some((subject) => subjects.has(subject))).toBe(false);
    expect(await leftOf(own, before)).toEqual({});
  });
});

describe('do_not_contact', () => {
  it('keep: leaves what stops mail, and nothing else', async () => {
    const to = 'ok+stop@world.example';
    await send({ to });
    await delivered(to);
    const { erasure } = await erasures.erase({ subjects: [{ address: to }], do_not_contact: 'keep' });
    expect(await leftOf(own, await erasedSubjects(own, erasure.id))).toEqual({});
    await send({ to });
    const failed = async () => (await kinds(to)).includes('failed');
    expect(await until(failed, 30_000, 200)).toBe(true);
    const stopped = (await events(to)).find(({ event }) => event === 'failed');
    expect(stopped).toMatchObject({ reason: 'suppress-unsubscribe', 'delivery-status': { code: 606 } });
    expect(await arrived(to)).toBe(1);
  });

  it('remove: leaves nothing of a bounce', async () => {
    const to = '550+gone@world.example';
    await send({ to });
    const bounced = async () => (await kinds(to)).join() === 'accepted,failed';
    expect(await until(bounced, 30_000, 200)).toBe(true);
    await erasures.erase({ subjects: [{ address: to }], do_not_contact: 'remove' });
    await send({ to });
    expect(await until(bounced, 30_000, 200)).toBe(true);
    const [failed] = (await events(to)).filter(({ event }) => event === 'failed');
    expect(failed).toMatchObject({ 'delivery-status': { code: 550 } });
  });
});

describe('a second erasure', () => {
  it('of the same person at the same time completes with nothing left', async () => {
    const to = 'ok+twice@world.example';
    await send({ to });
    await delivered(to);
    const orders = await Promise.all([1, 2].map(() => erasures.order({ subjects: [{ address: to }] })));
    const done = await Promise.all(orders.map(({ id }) => erasures.completed(id, 180_000)));
    const subjects = await Promise.all(done.map(({ id }) => erasedSubjects(own, id)));
    // Whoever is second waits for what the first one cut off.
    expect(new Set(subjects.flat()).size).toBe(1);
    expect(await leftOf(own, subjects.flat())).toEqual({});
    expect(await events(to)).toEqual([]);
  });

  it('of somebody nobody knows any more completes as well', async () => {
    const { erasure } = await erasures.erase({ subjects: [{ address: 'ok+twice@world.example' }] });
    expect(await erasedSubjects(own, erasure.id)).toEqual([]);
  });
});

describe('another account', () => {
  const to = 'ok+shared@world.example';

  it('keeps what it has of the same address', async () => {
    for (const demo of [own.demo, other]) {
      await send({ to }, demo);
      await delivered(to, demo);
    }
    const before = await events(to, other);
    await erasures.erase({ subjects: [{ address: to }], do_not_contact: 'keep' });
    expect(await events(to)).toEqual([]);
    expect(await events(to, other)).toEqual(before);
    await send({ to }, other);
    expect(await until(async () => (await kinds(to, other)).length === 4, 30_000, 200)).toBe(true);
    expect(await arrived(to)).toBe(3);
  });

  it("cannot be told from an unknown one's: neither its people nor its requests", async () => {
    const theirs = 'ok+theirs@world.example';
    await send({ to: theirs }, other);
    await delivered(theirs, other);
    const shapes = await Promise.all(
      [theirs, 'ok+nobody@world.example'].map(async (address) => {
        const { erasure } = await erasures.erase({ subjects: [{ address }] });
        return shapeOf(erasure);
      }),
    );
    expect(shapes[0]).toEqual(shapes[1]);
    expect(await kinds(theirs, other)).toEqual(['accepted', 'delivered']);

    const [ours, unknown] = [await erasures.order({ subjects: [{ address: theirs }] }), crypto.randomUUID()];
    const answers = await Promise.all(
      [ours.id, unknown].map(async (id) => {
        const response = await get(`${own.platform.gateway}/v1/privacy/requests/${id}`, other.privacyKey);
        return [response.status, (await response.text()).replaceAll(id, '')];
      }),
    );
    expect(answers[0]?.[0]).toBe(404);
    expect(answers[0]).toEqual(answers[1]);
    await erasures.completed(ours.id, 180_000);
  });
});

/** All that does not differ between any two requests. */
function shapeOf({ state, subjects, holders }: Erasure): unknown {
  return {
    state,
    subjects,
    holders: holders.map(({ service, found, removed, residual }) => ({ service, found, removed, residual })),
  };
}

describe('a body that names the erased while another still waits for it', () => {
  it('is kept for them alone, as the certificate says, and goes once they have it', { timeout: 300_000 }, async () => {
    const [ana, bob] = ['ok+named@world.example', 'greylist+waits@world.example'];
    const id = await send({ to: ana, cc: bob });
    await delivered(ana);
    const message = [...(await indexedEvents(own)).values()].find((event) => event.message_id === id)?.message ?? '';
    const keys = async () => (await secretsIn(own)).filter(({ ids }) => ids.includes(message)).length;
    expect(await keys()).toBe(1);
    const { erasure, certificate } = await erasures.erase({ subjects: [{ address: ana }] });
    expect(certificate.payload.kept).toEqual([expect.objectContaining({ count: 1 })]);
    expect(await arrived(bob)).toBe(0);
    expect(await keys()).toBe(1);
    expect(await until(async () => (await arrived(bob)) === 1, GREYLIST_MS + 60_000, 500)).toBe(true);
    expect(await until(async () => (await keys()) === 0, 60_000, 500)).toBe(true);
    expect(await leftOf(own, await erasedSubjects(own, erasure.id))).toEqual({});
  });
});
