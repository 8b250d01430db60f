import { randomUUID } from 'node:crypto';
import type { AccountSettings } from '@lethe/contracts';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { surroundings, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
const to = 'someone@world.example';

beforeAll(async () => {
  around = await surroundings(inject('stores'));
  await around.replica();
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

describe('a subaccount', () => {
  const parentId = randomUUID();
  const parent = (change: Partial<AccountSettings>) => around.publishAccount({ accountId: parentId, ...change });

  const ofParent = async (): Promise<number> => {
    const { rows } = await around.database.query<{ n: number }>(
      'SELECT coalesce(sum(recipients), 0)::int AS n FROM sent_count WHERE scope_id = $1',
      [parentId],
    );
    return rows[0]?.n ?? 0;
  };

  it('sends only while its parent may, and within the quota of both', async () => {
    await parent({ state: 'suspended' });
    await around.publishAccount({ parentId });
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(403), 5_000);
    // Which of the two records is heard of first is not said: something may have gone between them.
    const before = await ofParent();
    await parent({});
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
    expect(await ofParent()).toBe(before + 1);
    await parent({ quota: { month: 0 } });
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(429), 5_000);
    // Whatever went before that was heard of counts.
    await parent({ quota: { month: (await ofParent()) + 2 } });
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
    expect((await around.send({ to: [to, 'b@x.example'] })).status).toBe(429);
    expect((await around.send({ to })).status).toBe(200);
    expect((await around.send({ to })).status).toBe(429);
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

describe('allowed senders', () => {
  const refused = {
    status: 403,
    message: 'The sender is not allowed: the settings of the domain or account say who may stand in From',
  };
  const from = (address: string) => around.send({ to, from: `Somebody <${address}>` });

  it('are those of the domain, else of the account, else everybody', async () => {
    const { accountId, domain } = around;
    const ofAccount = await around.allowedSenders(accountId, ['account.example']);
    await around.publishAccount({ allowedSenders: ofAccount });
    await vi.waitFor(async () => expect(await from('ann@other.example')).toEqual(refused), 5_000);
    expect((await from('Ann@ACCOUNT.example')).status).toBe(200);
    await around.publishDomain({
      allowedSenders: await around.allowedSenders(domain.domainId, ['ann@own.example']),
    });
    await vi.waitFor(async () => expect(await from('ann@account.example')).toEqual(refused), 5_000);
    expect((await from('ANN@own.example')).status).toBe(200);
    expect(await from('ben@own.example')).toEqual(refused);
    const message = (authors: string) => `From: ${authors}\r\nSubject: x\r\n\r\ny`;
    expect((await around.sendMime({ to, message: message('ann@own.example') })).status).toBe(200);
    // Whoever is named behind somebody who is allowed is named all the same.
    const two = message('ann@own.example, ceo@bank.example');
    expect(await around.sendMime({ to, message: two })).toEqual(refused);
    // Nor is anybody let in by what only some can read.
    const unclear = [
      'ann@own.example, <ceo@bank.example',
      'ann@own.example\r\nFrom: ceo@bank.example',
      'ann@own.example\r\nSender: ceo of bank.example',
    ];
    for (const authors of unclear) {
      const { status, message: said } = await around.sendMime({ to, message: message(authors) });
      expect([status, said]).toEqual([403, expect.stringMatching(/^The sender cannot be told/)]);
    }
    const sender = message('ann@own.example\r\nSender: ceo@bank.example');
    expect(await around.sendMime({ to, message: sender })).toEqual(refused);
    await around.publishAccount({});
    await around.publishDomain({});
    await vi.waitFor(async () => expect((await from('ann@other.example')).status).toBe(200), 5_000);
    expect((await around.sendMime({ to, message: message(unclear[0] ?? '') })).status).toBe(200);
  });
});

describe('a quota', () => {
  const limit = '/v5/accounts/limit/custom/monthly';
  const several = (n: number, name: string) => Array.from({ length: n }, (_, index) => `${name}${index}@world.example`);
  const sent = async (scope: string): Promise<number> => {
    const { rows } = await around.database.query<{ n: number }>(
      'SELECT coalesce(sum(recipients), 0)::int AS n FROM sent_count WHERE scope_id = $1',
      [scope],
    );
    return rows[0]?.n ?? 0;
  };

  it('of an account’s month counts recipients, in every replica, and takes a message whole or not at all', async () => {
    const before = await sent(around.accountId);
    expect((await around.request(limit)).status).toBe(404);
    await around.publishAccount({ quota: { month: before + 5 } });
    await vi.waitFor(async () => expect((await around.request(limit)).status).toBe(200), 5_000);
    const over = {
      status: 429,
      message: `The account has a limit of ${before + 5} recipients a month, and it is reached: the next month begins at midnight UTC`,
    };
    expect(await around.send({ to: several(6, 'six') })).toEqual(over);
    expect((await around.send({ to: several(3, 'three') })).status).toBe(200);
    expect(await around.send({ to: several(3, 'three') })).toEqual(over);
    expect((await around.send({ to: several(2, 'two') })).status).toBe(200);
    expect(await around.send({ to })).toEqual(over);
    // The other one has not sent anything: it knows from the database, at the latest at its next look.
    await vi.waitFor(async () => expect((await around.send({ to }, 1)).status).toBe(429), 5_000);
    expect(await (await around.request(limit)).json()).toEqual({
      limit: before + 5,
      current: before + 5,
      period: '1m',
    });
    await around.publishAccount({});
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
  });

  it('of a domain’s day is overrun by two replicas at once by no more than a second’s mail of the other', async () => {
    const refusedFor = async (day: number) => {
      for (const replica of [0, 1]) {
        await vi.waitFor(async () => {
          const answer = await around.send({ to: several(31, 'n') }, replica);
          expect([answer.status, answer.message]).toEqual([429, expect.stringContaining(` ${day} recipients`)]);
        }, 20_000);
      }
    };
    // Until it is in force in both, what asks for it is accepted and counts: only then is it known how many were sent.
    await around.publishDomain({ quota: { day: 1 } });
    await refusedFor(1);
    const before = await sent(around.domain.domainId);
    await around.publishDomain({ quota: { day: before + 30 } });
    await refusedFor(before + 30);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => around.send({ to }, n % 2)));
    const accepted = answers.filter(({ status }) => status === 200).length;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(accepted).toBeGreaterThanOrEqual(30);
    expect(accepted).toBeLessThanOrEqual(60);
    // Whatever was let in is counted, once.
    expect(await sent(around.domain.domainId)).toBe(before + accepted);
    for (const replica of [0, 1]) {
      await vi.waitFor(async () => expect((await around.send({ to }, replica)).status).toBe(429), 5_000);
    }
    await around.publishDomain({});
    await vi.waitFor(async () => expect((await around.send({ to })).status).toBe(200), 5_000);
  });
});
