import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { surroundings, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
const to = 'someone@world.example';

beforeAll(async () => {
  around = await surroundings(inject('stores'));
  await around.replica();
});
afterAll(() => around?.close());

describe('a suspended account', () => {
  it('hands nothing in, and still reads what it had sent', async () => {
    expect((await around.send({ to })).status).toBe(200);
    const { rows } = await around.database.query<{ id: string }>('SELECT id FROM message');
    const key = rows[0]?.id;
    await around.publishAccount({ state: 'suspended' });
    const refused = {
      status: 403,
      message: 'The account is suspended: no mail is accepted until whoever runs the platform lifts that',
    };
    await vi.waitFor(async () => expect(await around.send({ to })).toEqual(refused), 5_000);
    expect(await around.sendMime({ to, message: 'Subject: x\r\n\r\ny' })).toEqual(refused);
    const resend = await around.stored(key, { method: 'POST', body: new URLSearchParams({ to }) });
    expect(resend.status).toBe(403);
    expect((await around.stored(key)).status).toBe(200);
    await around.publishAccount({});
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
  });
});

describe('a sandbox domain', () => {
  const approved = 'Ann.Approved@world.example';
  const refused = {
    status: 403,
    message:
      'A sandbox domain is not allowed to send to everybody: add the address to the authorized recipients of the sandbox',
  };
  const messages = async () =>
    (await around.database.query<{ n: number }>('SELECT count(*)::int AS n FROM message')).rows[0]?.n;

  it('sends to approved recipients alone, whatever field they stand in, and makes nobody a subject by refusing', async () => {
    const recipients = [await around.subjectOf(approved)];
    await around.publishDomain({ sandbox: { recipients } });
    await vi.waitFor(async () => expect(await around.send({ to })).toEqual(refused), 5_000);
    const before = await messages();
    expect((await around.send({ to: `Ann <${approved.toLowerCase()}>` })).status).toBe(200);
    expect(await around.send({ to: approved, bcc: 'stranger-of-all@world.example' })).toEqual(refused);
    expect(await around.sendMime({ to, message: 'Subject: x\r\n\r\ny' })).toEqual(refused);
    expect(await around.vault.ingest.knownSubjects(around.accountId, ['stranger-of-all@world.example'])).toEqual([
      undefined,
    ]);
    expect(await messages()).toBe((before ?? 0) + 1);
    // Approval ends with the person: whoever comes back is somebody else.
    await around.cutOff(...recipients);
    await vi.waitFor(async () => expect((await around.send({ to: approved })).status).toBe(403), 5_000);
    await around.publishDomain({});
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
  });
});
