import { randomUUID } from 'node:crypto';
import { Database } from '@lethe/database';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance } from '@lethe/privacy-holder/conformance';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { STORES } from '../src/privacy/stores.ts';
import { newAccount, OPERATOR, SANDBOX_ZONE, startSetting, type Setting, type Who } from './setting.ts';

holderConformance('accounts', async () => {
  const setting = await startSetting(inject('stores'), { SANDBOX_ZONE });
  const who = await newAccount(setting);
  const { pool } = setting.app.get(Database);
  return {
    holder: setting.app.get(PersonalDataHolder),
    accountId: who.account,
    kinds: ['sandbox-recipient', 'user'],
    stores: STORES,
    filled: [],
    plant: async () => {
      const email = `p${randomUUID()}@world.example`;
      await setting.call(who, 'POST', '/v5/sandbox/auth_recipients', new URLSearchParams({ email }));
      const { rows } = await pool.query<{ subject_id: string }>(
        'SELECT subject_id FROM sandbox_recipient ORDER BY id DESC LIMIT 1',
      );
      await setting.call(who, 'POST', '/v1/users', new URLSearchParams({ email, role: 'analyst' }));
      return { subject: rows[0]?.subject_id, planted: { 'sandbox-recipient': 1, user: 1 } };
    },
    others: async (people) => {
      const subjects = [people.map(({ subject }) => subject)];
      const recipients = 'SELECT * FROM sandbox_recipient WHERE subject_id <> ALL($1) ORDER BY id';
      const users = 'SELECT * FROM account_user WHERE subject_id <> ALL($1) ORDER BY id';
      return [(await pool.query(recipients, subjects)).rows, (await pool.query(users, subjects)).rows];
    },
    close: () => setting.close(),
  };
});

describe('accounts and the people of a sandbox', () => {
  let setting: Setting;
  let who: Who;

  beforeAll(async () => {
    setting = await startSetting(inject('stores'), { SANDBOX_ZONE });
    who = await newAccount(setting);
  });
  afterAll(() => setting?.close());

  it('whoever is erased is out of the sandbox for everybody', async () => {
    for (const email of ['ann@world.example', 'ben@world.example']) {
      await setting.call(who, 'POST', '/v5/sandbox/auth_recipients', new URLSearchParams({ email }));
    }
    const recipients = () => [...setting.domains.values()].flatMap(({ sandbox }) => sandbox?.recipients ?? []);
    expect(await until(() => recipients().length === 2, 5_000)).toBe(true);
    const [ann, ben] = recipients() as [string, string];
    const scope = {
      requestId: randomUUID(),
      accountId: who.account,
      subjects: new Set([ann]),
      cutOff: Date.now(),
      doNotContact: 'default' as const,
    };
    const holder = setting.app.get(PersonalDataHolder);
    await holder.fence(scope);
    await holder.erase(scope);
    expect(await until(() => recipients().length === 1, 5_000)).toBe(true);
    expect(recipients()).toEqual([ben]);
  });
});

describe('accounts holds nobody’s records elsewhere, and looks', () => {
  let setting: Setting;
  let accountId: string;
  const subject = randomUUID();
  const scope = (account: string) => ({
    requestId: randomUUID(),
    accountId: account,
    subjects: new Set([subject]),
    cutOff: Date.now(),
    doNotContact: 'default' as const,
  });
  const holder = () => setting.app.get(PersonalDataHolder);

  beforeAll(async () => {
    setting = await startSetting(inject('stores'));
    accountId = (await setting.call(OPERATOR, 'POST', '/v1/accounts')).body.account.id;
  });
  afterAll(() => setting?.close());

  it('an id that should never be here fails the erasure instead of passing unseen', async () => {
    const { pool } = setting.app.get(Database);
    await pool.query('UPDATE api_key SET hint = $1 WHERE account_id = $2', [`of ${subject}`, accountId]);
    await expect(holder().erase(scope(accountId))).rejects.toThrow(/api_key names a subject/);
    await expect(holder().verify(scope(accountId))).rejects.toThrow(/api_key names a subject/);
    expect(await holder().verify(scope(randomUUID()))).toEqual({});
    await pool.query(`UPDATE api_key SET hint = 'key-'`);
    expect(await holder().verify(scope(accountId))).toEqual({});
  });
});
