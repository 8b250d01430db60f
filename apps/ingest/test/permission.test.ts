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
