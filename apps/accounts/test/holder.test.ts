import { randomUUID } from 'node:crypto';
import { Database } from '@lethe/database';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { holderConformance } from '@lethe/privacy-holder/conformance';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { STORES } from '../src/privacy/stores.ts';
import { OPERATOR, startSetting, type Setting } from './setting.ts';

holderConformance(
  'accounts',
  async () => {
    const setting = await startSetting(inject('stores'));
    const { body } = await setting.call(OPERATOR, 'POST', '/v1/accounts');
    return {
      holder: setting.app.get(PersonalDataHolder),
      accountId: body.account.id as string,
      kinds: [],
      stores: STORES,
      filled: [],
      plant: async () => null,
      others: async () => null,
      close: () => setting.close(),
    };
  },
  { withoutRecords: true },
);

describe('accounts holds nobody’s records, and looks', () => {
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
