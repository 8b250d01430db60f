import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Setting, type Who } from './support/setting.ts';

const OPERATOR: Who = { account: 'operator', scopes: ['operator:read'] };
const dropAt = new Date(Math.floor(Date.now() / 21_600_000) * 21_600_000 + 86_400_000);

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open();
  await setting.start();
});
afterAll(() => setting?.close());
beforeEach(() => setting.holders.behaviours.clear());

const closingOf = async (account: string): Promise<any> =>
  (await setting.call(OPERATOR, 'GET', `/v1/accounts/${account}/closing`)).body;
const closed = async (account: string): Promise<any> => {
  let view: any;
  const there = async () => (view = await closingOf(account)).state === 'completed';
  if (!(await until(there, 60_000, 50))) throw new Error(`not closed: ${JSON.stringify(view)}`);
  return view;
};
const residualOf = async (account: string) => {
  const { rows } = await setting.vaultAdmin.query(
    `select (select count(*)::int from vault.account where account_id = $1) as accounts,
       (select count(*)::int from vault.subject where account_id = $1) as subjects,
       (select count(*)::int from vault.subject_name where account_id = $1) as names`,
    [account],
  );
  return rows[0];
};
const contentKeys = async (messages: string[]): Promise<number> =>
  (await setting.vaultAdmin.query('select from vault.content_key where message_id = any($1)', [messages])).rowCount ??
  0;

describe('an account that is closed', () => {
  const messages = Array.from({ length: 3 }, () => randomUUIDv7());
  let account: string;
  let neighbour: string;
  let domain: string;
  let earlier: any;
  let id: string;
  let view: any;

  beforeAll(async () => {
    [account, neighbour] = [await setting.newAccount(), await setting.newAccount()];
    domain = await setting.newDomain(account);
    await setting.newDomain(neighbour);
    await setting.vault.subjectsFor(account, ['ana@example.net', 'ben@example.net', 'cleo@example.net']);
    await setting.vault.subjectsFor(neighbour, ['ana@example.net']);
    await setting.vault.createContentKeys(messages.map((messageId) => ({ messageId, dropAt })));
    earlier = await setting.order(['ana@example.net'], { reference: 'ticket 1' }, { account });
    // As ingest does when it erases.
    setting.holders.behaviours.set('ingest', (command, right) => {
      if (command.step !== 'erase' || !command.closing) return right;
      void setting.vault.condemnContentKeys(
        command.requestId,
        messages.map((messageId) => ({ messageId, dropAt })),
      );
      return { ...right, found: { message: 3, list: 1 }, removed: { message: 3, list: 1 } } as never;
    });
    id = await setting.closeAccount(account);
    view = await closed(account);
  });

  it('goes the way of every request, after those of its people', async () => {
    expect(view).toMatchObject({ id, type: 'account-erasure', account, subjects: 0, state: 'completed' });
    expect(view.history.map(({ state, by }: any) => [state, by])).toEqual([
      ['received', 'operator'],
      ...['identified', 'executing', 'verifying', 'completed'].map((state) => [state, 'platform']),
    ]);
    const before = await setting.show(earlier.id, { account });
    expect(before.state).toBe('completed');
    expect(Date.parse(before.completed_at)).toBeLessThanOrEqual(Date.parse(view.cut_off));
  });

  it('holders are asked for all of the account, and told its domains', () => {
    const commands = setting.holders.heard.filter(({ command }) => command.requestId === id);
    expect(new Set(commands.map(({ command }) => command.step))).toEqual(new Set(['fence', 'verify', 'erase']));
    for (const { command } of commands) {
      expect(command).toMatchObject({ accountId: account, subjects: [], closing: { domains: [domain] } });
    }
  });

  it('no secret of it or of its people is left, nor of its messages, and its neighbour has all of them', async () => {
    expect(await residualOf(account)).toEqual({ accounts: 0, subjects: 0, names: 0 });
    expect(await contentKeys(messages)).toBe(0);
    expect(await residualOf(neighbour)).toEqual({ accounts: 1, subjects: 1, names: 1 });
    await expect(setting.vault.subjectsFor(account, ['dora@example.net'])).rejects.toThrow('forgotten');
    expect(await setting.vault.subjectsFor(neighbour, ['dora@example.net'])).toHaveLength(1);
  });

  it('is certified, with its keys', async () => {
    const { body } = await setting.call(OPERATOR, 'GET', `/v1/accounts/${account}/closing/certificate`);
    expect(body.payload).toMatchObject({
      jti: id,
      account,
      type: 'account-erasure',
      scope: { of: 'account' },
      // One of the three had been erased before.
      subjects: { count: 2, digests: [], alias_digests: [] },
      keys_destroyed: { accounts: 1, subjects: 2, content_keys: 3 },
      kept: [],
    });
    expect(body.payload.stores.find(({ store }: any) => store === 'postgresql: mailing lists')).toMatchObject({
      found: 1,
      removed: 1,
      residual: 0,
    });
    const verdict = await setting.call({ account: neighbour }, 'POST', '/v1/privacy/certificates/verify', {
      certificate: body.certificate,
    });
    expect(verdict.body).toMatchObject({ valid: true });
  });

  it('of its earlier requests certificates are left, and neither what was typed nor whom they were about', async () => {
    const { rows } = await setting.database.query(
      `select reference, reference_hash, certificate is not null as certified,
         (select count(*)::int from request_subject where request_id = request.id) as people
       from request where id = $1`,
      [earlier.id],
    );
    expect(rows).toEqual([{ reference: null, reference_hash: null, certified: true, people: 0 }]);
  });

  it('takes no order any more, and is not taken up twice', async () => {
    const order = { type: 'erasure', subjects: [{ address: 'ben@example.net' }] };
    const answer = await setting.call({ account }, 'POST', '/v1/privacy/requests', order);
    expect([answer.status, answer.body.message]).toEqual([409, 'The account is closed']);
    await setting.closeAccount(account);
    expect((await closingOf(account)).id).toBe(id);
  });

  it('is the operator’s to see, and nobody else’s', async () => {
    const answer = await setting.call({ account: neighbour }, 'GET', `/v1/accounts/${account}/closing`);
    expect(answer.status).toBe(403);
    expect((await setting.call({ account: neighbour }, 'GET', `/v1/privacy/requests/${id}`)).status).toBe(404);
    expect((await setting.call(OPERATOR, 'GET', `/v1/accounts/${neighbour}/closing`)).status).toBe(404);
  });
});

it('a vault from a backup of before loses the account again before it is opened', async () => {
  const account = await setting.newAccount();
  await setting.vault.subjectsFor(account, ['ana@example.net']);
  const { rows } = await setting.vaultAdmin.query('select * from vault.account where account_id = $1', [account]);
  const { rows: state } = await setting.vaultAdmin.query('select position from vault.state');
  await setting.closeAccount(account);
  await closed(account);
  await setting.stop();
  const { secret, pseudonym_key: key } = rows[0];
  await setting.vaultAdmin.query('insert into vault.account values ($1, $2, $3)', [account, secret, key]);
  await setting.vaultAdmin.query('delete from vault.closed_account where account_id = $1', [account]);
  await setting.vaultAdmin.query(
    `insert into vault.subject (subject_id, account_id, week, last_used) values ($1, $2, current_date, current_date)`,
    [randomUUID(), account],
  );
  await setting.vaultAdmin.query('update vault.state set position = $1, opened_for = null', [state[0].position]);
  await setting.start();
  expect(await until(() => setting.vault.healthy(), 20_000)).toBe(true);
  expect(await residualOf(account)).toEqual({ accounts: 0, subjects: 0, names: 0 });
});

it('a subaccount’s closing is its parent’s to see; a service that is away is shown, and delays it', async () => {
  const [parent, account] = [await setting.newAccount(), await setting.newAccount()];
  let away = true;
  setting.holders.behaviours.set('events', (command, right) => (away && command.step === 'erase' ? null : right));
  const id = await setting.closeAccount(account, parent);
  const view = await setting.reach(
    id,
    ({ holders }) => holders?.some(({ service, error }: any) => service === 'events' && error === 'no-answer'),
    60_000,
    { account: parent },
  );
  expect(view.state).toBe('executing');
  // Killed in the midst, it goes on.
  await setting.stop();
  await setting.start();
  away = false;
  await setting.reach(id, 'completed', 60_000, { account: parent });
  const cancel = await setting.call({ account: parent }, 'DELETE', `/v1/privacy/requests/${id}`);
  expect(cancel.status).toBe(409);
  expect((await setting.show(id, { account: parent })).type).toBe('account-erasure');
});

it('a holder that does not know of closing is not believed', async () => {
  const account = await setting.newAccount();
  let old = true;
  setting.holders.behaviours.set('delivery', (command, right) => {
    if (!old || command.step !== 'fence') return right;
    const { closing: _, ...reply } = right as any;
    return reply;
  });
  await setting.closeAccount(account);
  const shown = async () =>
    (await closingOf(account)).holders?.find(({ service }: any) => service === 'delivery').error === 'other-subjects';
  expect(await until(shown, 20_000, 50)).toBe(true);
  old = false;
  await closed(account);
});
