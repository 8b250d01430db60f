import { createHash, randomUUIDv7 } from 'node:crypto';
import { MAIL_ACCEPTED, MAIL_EVENTS, type PrivacyReply } from '@lethe/contracts';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Behaviour } from './support/fake-holders.ts';
import { Setting } from './support/setting.ts';

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open();
  await setting.start();
});
afterAll(() => setting?.close());
beforeEach(() => setting.holders.behaviours.clear());

const fresh = (): string => `p${randomUUIDv7()}@example.net`;
const subjectOf = async (address: string): Promise<string> =>
  (await setting.vault.subjectsFor(setting.account, [address]))[0];
const secretsOf = async (subject: string): Promise<number> =>
  (await setting.vaultAdmin.query('select from vault.subject_secret where subject_id = $1', [subject])).rowCount ?? 0;
const payloadOf = async (id: string): Promise<any> =>
  (await setting.call({ account: setting.account }, 'GET', `/v1/privacy/requests/${id}/certificate`)).body.payload;
/** Of commands of one step alone. */
const at =
  (step: string, change: (right: any, attempt: number) => PrivacyReply | PrivacyReply[] | null): Behaviour =>
  (command, right) =>
    command.step === step ? change(right, command.attempt) : right;

describe('one erasure', () => {
  const address = 'ana@example.net';
  let subject: string;
  let ordered: any;
  let view: any;

  beforeAll(async () => {
    subject = await subjectOf(address);
    const counts = { found: { event: 12, mention: 1 }, removed: { event: 12, mention: 1 } };
    setting.holders.behaviours.set(
      'events',
      at('erase', (right) => ({ ...right, ...counts, expungedAt: Date.now() })),
    );
    ordered = await setting.order(['Ana@Example.net', 'never-heard-of@example.net']);
    view = await setting.reach(ordered.id, 'completed');
  });

  it('goes through every state, and shows what each holder did', async () => {
    expect(view.history.map(({ state, by }: any) => [state, by])).toEqual([
      ['received', 'key …4f2a'],
      ['identified', 'platform'],
      ['executing', 'platform'],
      ['verifying', 'platform'],
      ['completed', 'platform'],
    ]);
    expect(view.completed_at).toBe(view.history.at(-1).at);
    expect(view.holders.map(({ service, state }: any) => [service, state])).toEqual(
      ['accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'].map((name) => [name, 'acknowledged']),
    );
    expect(view.holders.find(({ service }: any) => service === 'events')).toMatchObject({
      step: 'verify',
      found: { event: 12, mention: 1 },
      removed: { event: 12, mention: 1 },
      residual: {},
      error: null,
    });
  });

  it('asks holders by subject id alone, in the order fence, verify, erase, verify', () => {
    // A slow machine may have been asked twice.
    const asked = setting.holders.steps(ordered.id, 'ingest').filter((step, index, all) => step !== all[index - 1]);
    expect(asked).toEqual(['fence', 'verify', 'erase', 'verify']);
    const commands = setting.holders.heard.filter(({ command }) => command.requestId === ordered.id);
    for (const { command } of commands) {
      expect(command).toMatchObject({ accountId: setting.account, subjects: [subject] });
    }
    expect(JSON.stringify(commands)).not.toContain('example.net');
  });

  it('certifies it, as JSON and as the bare JWS', async () => {
    const url = `/v1/privacy/requests/${ordered.id}/certificate`;
    const { status, type, body } = await setting.call({ account: setting.account }, 'GET', url);
    expect([status, type.split(';')[0]]).toEqual([200, 'application/json']);
    expect(body.payload).toMatchObject({
      jti: ordered.id,
      account: setting.account,
      cut_off: view.cut_off,
      completed_at: view.completed_at,
      keys_destroyed: { subjects: 1, content_keys: 0 },
      kept: [],
    });
    const digest = (salt: string, form: string): string =>
      createHash('sha256').update(Buffer.from(salt, 'base64url')).update(form).digest('base64url');
    expect(body.payload.subjects).toEqual({
      count: 2,
      digests: [digest(ordered.salts[0], address), digest(ordered.salts[1], 'never-heard-of@example.net')],
      alias_digests: [[], []],
    });
    expect(body.payload.stores.find((store: any) => store.store === 'elasticsearch: events')).toMatchObject({
      found: 12,
      removed: 12,
      residual: 0,
    });
    const times = [
      view.received_at,
      view.cut_off,
      body.payload.unreadable_at,
      body.payload.expunged_at,
      view.completed_at,
    ];
    expect(times).toEqual(times.toSorted((a, b) => Date.parse(a) - Date.parse(b)));
    const bare = await setting.call({ account: setting.account }, 'GET', url, undefined, {
      accept: 'application/jose',
    });
    expect([bare.status, bare.type.split(';')[0], bare.text]).toEqual([200, 'application/jose', body.certificate]);
    const verdict = await setting.call({ account: setting.account }, 'POST', '/v1/privacy/certificates/verify', {
      certificate: bare.text,
    });
    expect(verdict.body).toMatchObject({ valid: true });
  });

  it('leaves no key, no name and no pseudonym', async () => {
    expect(await secretsOf(subject)).toBe(0);
    expect(await until(async () => (await setting.stageOf(ordered.id)) === 'done', 5_000)).toBe(true);
    const { rows } = await setting.database.query(
      'select pseudonym, subject_ids from request_subject where request_id = $1 order by subject',
      [ordered.id],
    );
    expect(rows).toEqual([
      { pseudonym: null, subject_ids: [subject] },
      { pseudonym: null, subject_ids: [] },
    ]);
    const fences = await setting.vaultAdmin.query('select from vault.fence where request_id = $1', [ordered.id]);
    expect(fences.rowCount).toBe(0);
    const seal = { account: setting.account, subject, period: 'standing', type: 'person', recordId: 'r' } as const;
    await expect(setting.vault.seal(seal, {})).rejects.toThrow('forgotten');
  });

  it('who comes back is somebody new, whom the erasure does not concern', async () => {
    const back = await subjectOf(address);
    expect(back).not.toBe(subject);
    expect(await secretsOf(back)).toBe(1);
  });

  it('another account’s subject of the same address is another person', async () => {
    const other = await setting.newAccount();
    const [theirs] = await setting.vault.subjectsFor(other, ['shared@example.net']);
    const ours = await subjectOf('shared@example.net');
    const unknown = await setting.order([fresh()]);
    const shared = await setting.order(['shared@example.net'], {}, { account: other });
    await setting.reach(unknown.id, 'completed');
    await setting.reach(shared.id, 'completed', 60_000, { account: other });
    expect([await secretsOf(theirs), await secretsOf(ours)]).toEqual([0, 1]);
    // Ordered by this account, the other one's person is as unknown as nobody.
    const [stranger] = await setting.vault.subjectsFor(other, ['theirs-alone@example.net']);
    const foreign = await setting.order(['theirs-alone@example.net']);
    const [one, two] = [await setting.reach(foreign.id, 'completed'), await setting.show(unknown.id)];
    const comparable = ({ holders, subjects }: any) => ({
      subjects,
      holders: holders.map((holder: any) => ({ ...holder, acknowledged_at: null })),
    });
    expect(comparable(one)).toEqual(comparable(two));
    expect(await secretsOf(stranger)).toBe(1);
  });
});

describe('holders', () => {
  it.each<[string, 'fence' | 'survey' | 'erase', string, (right: any) => PrivacyReply]>([
    ['of other people', 'fence', 'other-subjects', (right) => ({ ...right, subjects: right.subjects + 1 })],
    [
      'more removed than found',
      'erase',
      'removed-more-than-found',
      (right) => ({ ...right, found: { body: 1 }, removed: { body: 2 } }),
    ],
    ['to an attempt nobody made', 'survey', 'unknown-attempt', (right) => ({ ...right, attempt: 7 })],
  ])('an answer %s is shown and asked again, never believed', async (_, step, error, nonsense) => {
    setting.holders.behaviours.set('ingest', at(step === 'survey' ? 'verify' : step, nonsense));
    const { id } = await setting.order([fresh()]);
    const ingest = (view: any) => view.holders.find(({ service }: any) => service === 'ingest');
    const shown = await setting.reach(id, (view) => ingest(view).error === error && ingest(view).attempts > 1);
    expect(ingest(shown)).toMatchObject({ step, state: 'failed', acknowledged_at: null, found: {}, removed: {} });
    expect(shown.state).toBe('executing');
    setting.holders.behaviours.clear();
    expect(ingest(await setting.reach(id, 'completed'))).toMatchObject({ error: null, found: {}, removed: {} });
  });

  it('an answer that breaks its contract, or of somebody else, changes nothing', async () => {
    setting.holders.behaviours.set(
      'delivery',
      at('erase', () => null),
    );
    const { id } = await setting.order([fresh()]);
    await setting.reach(id, () => setting.holders.steps(id, 'delivery').includes('erase'));
    const right = {
      requestId: id,
      attempt: 1,
      at: Date.now(),
      step: 'erase',
      outcome: 'done',
      subjects: 0,
      found: {},
      removed: {},
    } as const;
    await setting.holders.say('events', { ...right, service: 'delivery' });
    await setting.holders.say('delivery', { ...right, service: 'delivery', requestId: randomUUIDv7() });
    await setting.holders.say('delivery', { ...right, service: 'delivery', requestId: 'no-uuid' });
    const said = () => setting.log.filter((line) => line.includes('privacy.reply-not-believed')).join('');
    expect(
      await until(() => /not-its-answer.*not-its-answer/s.test(said()) && said().includes('not-asked'), 5_000),
    ).toBe(true);
    expect((await setting.show(id)).state).toBe('executing');
    setting.holders.behaviours.clear();
    await setting.reach(id, 'completed');
  });

  it('one that is down keeps the request executing, shown, and is asked ever again until it is back', async () => {
    setting.holders.behaviours.set('events', () => null);
    const { id } = await setting.order([fresh()]);
    const events = (view: any) => view.holders.find(({ service }: any) => service === 'events');
    const shown = await setting.reach(id, (view) => events(view).attempts >= 3);
    expect(events(shown)).toMatchObject({ step: 'fence', state: 'failed', error: 'no-answer', acknowledged_at: null });
    expect(shown).toMatchObject({ state: 'executing', completed_at: null });
    expect(shown.holders.filter(({ state }: any) => state === 'acknowledged')).toHaveLength(5);
    setting.holders.behaviours.clear();
    await setting.reach(id, 'completed');
  });

  it('one that says it could not is shown with its reason, and asked again', async () => {
    const failed = (right: any, attempt: number): PrivacyReply =>
      attempt > 1
        ? right
        : { ...right, step: 'failed', outcome: 'failed', of: 'erase', error: 'store-away', retryable: true };
    let shown: any;
    setting.holders.behaviours.set('suppression', at('erase', failed));
    const { id } = await setting.order([fresh()]);
    await setting.reach(id, (view) => {
      shown ??= view.holders.find(({ error }: any) => error !== null);
      return view.state === 'completed';
    });
    expect(shown).toMatchObject({ service: 'suppression', step: 'erase', state: 'failed', error: 'store-away' });
    expect(setting.holders.steps(id, 'suppression').filter((step) => step === 'erase')).toHaveLength(2);
  });

  it('one that finds something left erases again, everybody looks again, and the counts add up', async () => {
    let erased = 0;
    setting.holders.behaviours.set('ingest', (command, right) => {
      if (command.step === 'erase') {
        erased += 1;
        return { ...right, found: { message: erased }, removed: { message: erased } } as PrivacyReply;
      }
      if (command.step === 'verify' && erased === 1) return { ...right, residual: { message: 2 } } as PrivacyReply;
      return right;
    });
    const { id } = await setting.order([fresh()]);
    const view = await setting.reach(id, 'completed');
    expect(erased).toBe(2);
    // The survey, and two last looks.
    expect(setting.holders.steps(id, 'events').filter((step) => step === 'verify')).toHaveLength(3);
    expect(view.holders.find(({ service }: any) => service === 'ingest')).toMatchObject({
      found: { message: 3 },
      removed: { message: 3 },
      residual: {},
    });
    expect(view.history.map(({ state }: any) => state)).toEqual([
      'received',
      'identified',
      'executing',
      'verifying',
      'completed',
    ]);
    const { rows } = await setting.database.query('select kind from erasure_ledger where request_id = $1', [id]);
    expect(rows).toHaveLength(2);
  });

  it('an answer to the look before counts no more once there is a new one', async () => {
    const looks: number[] = [];
    setting.holders.behaviours.set('delivery', (command, right) => {
      const surveyed = setting.holders.steps(command.requestId, 'delivery').includes('erase');
      if (command.step !== 'verify' || !surveyed) return right;
      looks.push(command.attempt);
      // First something is left; then the first look's clean answer comes late, and no other.
      if (looks.length === 1) return { ...right, residual: { deferred: 1 } } as PrivacyReply;
      return looks.length === 2 ? { ...right, attempt: looks[0] } : right;
    });
    const { id } = await setting.order([fresh()]);
    const delivery = (view: any) => view.holders.find(({ service }: any) => service === 'delivery');
    await setting.reach(id, (view) => delivery(view).error === 'stale-attempt');
    await setting.reach(id, 'completed');
    expect(looks).toHaveLength(3);
  });
});

describe('the barrier', () => {
  it('waits until every group has read what was written before', async () => {
    const ingest = setting.kafka('ingest');
    const producer = ingest.producer();
    await producer.connect();
    await producer.send({
      topic: ingest.topicName(MAIL_EVENTS),
      messages: [{ key: 'k', value: 'whatever', partition: 3 }],
    });
    await producer.disconnect();
    const { id } = await setting.order([fresh()]);
    const stands = async () => (await setting.stageOf(id)) === 'barrier';
    expect(await until(stands, 15_000)).toBe(true);
    const commit = async (service: 'events' | 'suppression') => {
      const client = setting.kafka(service);
      const admin = await client.admin();
      const groupId = client.groupName(MAIL_EVENTS.name);
      await admin.setOffsets({
        groupId,
        topic: client.topicName(MAIL_EVENTS),
        partitions: [{ partition: 3, offset: '1' }],
      });
    };
    await commit('events');
    const behind = (view: any) =>
      view.holders.filter(({ error }: any) => error === 'behind').map((one: any) => one.service);
    await setting.reach(id, (view) => behind(view).join() === 'suppression');
    // It has been looked at several times by now, and one group is still behind.
    expect(await until(async () => !(await stands()), 1_500)).toBe(false);
    expect(setting.holders.steps(id, 'ingest')).not.toContain('erase');
    await commit('suppression');
    expect(behind(await setting.reach(id, 'completed'))).toEqual([]);
  });
});

describe('the same person twice', () => {
  it('a second erasure is not over before the first one’s data is gone', async () => {
    const address = fresh();
    const first = await subjectOf(address);
    setting.holders.behaviours.set(
      'ingest',
      at('erase', () => null),
    );
    const one = await setting.order([address]);
    await setting.reach(one.id, () => setting.holders.steps(one.id, 'ingest').includes('erase'));
    const second = await subjectOf(address);
    const two = await setting.order([address]);
    await setting.reach(two.id, () => setting.holders.steps(two.id, 'ingest').includes('erase'));
    const commands = setting.holders.heard.filter(({ command }) => command.requestId === two.id);
    for (const { command } of commands) {
      expect('subjects' in command && command.subjects).toEqual([first, second].toSorted());
    }
    setting.holders.behaviours.clear();
    await Promise.all([setting.reach(one.id, 'completed'), setting.reach(two.id, 'completed')]);
    expect([await secretsOf(first), await secretsOf(second)]).toEqual([0, 0]);
  });
});

describe('bodies that others still wait for', () => {
  const newKeys = async (count: number) => {
    const dropAt = new Date(Math.ceil(Date.now() / 21_600_000 + 1) * 21_600_000);
    const messages = Array.from({ length: count }, () => ({ messageId: randomUUIDv7(), dropAt }));
    await setting.vault.createContentKeys(messages);
    return messages;
  };
  const left = async (messages: readonly { messageId: string }[]): Promise<number> =>
    (
      await setting.vaultAdmin.query('select from vault.content_key where message_id = any($1)', [
        messages.map(({ messageId }) => messageId),
      ])
    ).rowCount ?? 0;

  it('are kept, said to be, and released when nobody waits any more', async () => {
    const [gone, kept, others] = [await newKeys(2), await newKeys(1), await newKeys(1)];
    let waiting = kept.map(({ messageId }) => messageId);
    setting.holders.behaviours.set('ingest', (command, right) => {
      if (command.step !== 'erase') return right;
      return { ...right, found: { body: 3 }, removed: { body: 3 } } as PrivacyReply;
    });
    setting.holders.behaviours.set(
      'delivery',
      at('in-flight', (right) => ({ ...right, messages: waiting })),
    );
    // Held at the fence until the keys are condemned under the request's id, as ingest does when it erases.
    setting.holders.behaviours.set(
      'accounts',
      at('erase', () => null),
    );
    const { id } = await setting.order([fresh()]);
    await setting.reach(id, () => setting.holders.steps(id, 'accounts').includes('erase'));
    await setting.vault.condemnContentKeys(id, [...gone, ...kept]);
    setting.holders.behaviours.delete('accounts');
    await setting.reach(id, 'completed');
    expect([await left(gone), await left(kept), await left(others)]).toEqual([0, 1, 1]);
    const payload = await payloadOf(id);
    expect(payload.keys_destroyed).toEqual({ subjects: 0, content_keys: 2 });
    const until_ = kept[0].dropAt.toISOString();
    expect(payload.kept).toEqual([{ what: 'body', count: 1, why: 'others-waiting', until: until_ }]);
    waiting = [];
    expect(await until(async () => (await left(kept)) === 0, 15_000)).toBe(true);
    expect(await left(others)).toBe(1);
    const { rows } = await setting.database.query(
      'select message_id, drop_at from released_key where message_id = any($1)',
      [[...gone, ...kept].map(({ messageId }) => messageId)],
    );
    // Not in the ledger: that is kept for good, and a message is no request.
    expect(rows).toEqual([{ message_id: kept[0].messageId, drop_at: kept[0].dropAt }]);
  });

  it('are each request’s own, also those of two at once that name people of both', async () => {
    const [first, second] = [await newKeys(3), await newKeys(2)];
    const [both, waited] = [await newKeys(1), await newKeys(1)];
    const idsOf = (messages: readonly { messageId: string }[]) => messages.map(({ messageId }) => messageId).toSorted();
    setting.holders.behaviours.set(
      'delivery',
      at('in-flight', (right) => ({ ...right, messages: idsOf(waited) })),
    );
    setting.holders.behaviours.set(
      'accounts',
      at('erase', () => null),
    );
    const orders = [await setting.order([fresh()]), await setting.order([fresh()])];
    const own = [
      [...first, ...both],
      [...second, ...both, ...waited],
    ];
    for (const [index, { id }] of orders.entries()) {
      await setting.reach(id, () => setting.holders.steps(id, 'accounts').includes('erase'));
      await setting.vault.condemnContentKeys(id, own[index]);
    }
    setting.holders.behaviours.delete('accounts');
    await Promise.all(orders.map(({ id }) => setting.reach(id, 'completed')));
    const entries = await Promise.all(
      orders.map(async ({ id }) => {
        const sql = 'select messages from erasure_ledger where request_id = $1';
        return (await setting.database.query<{ messages: string[] }>(sql, [id])).rows.map((row) =>
          row.messages.toSorted(),
        );
      }),
    );
    expect(entries).toEqual([[idsOf([...first, ...both])], [idsOf([...second, ...both])]]);
    const payloads = await Promise.all(orders.map(({ id }) => payloadOf(id)));
    expect(payloads.map(({ keys_destroyed: { content_keys: count } }) => count)).toEqual([4, 3]);
    expect(payloads.map(({ kept }) => kept.map((one: any) => one.count))).toEqual([[], [1]]);
    expect([await left([...first, ...second, ...both]), await left(waited)]).toEqual([0, 1]);
    const heard = setting.holders.heard.flatMap(({ service, command }) =>
      service === 'delivery' && command.step === 'in-flight' ? [command.messages.toSorted()] : [],
    );
    for (const messages of own) expect(heard).toContainEqual(idsOf(messages));
    setting.holders.behaviours.clear();
    expect(await until(async () => (await left(waited)) === 0, 15_000)).toBe(true);
  });

  it('a removed message keeps its key until delivery has read all there was to send', async () => {
    const [message] = await newKeys(1);
    const ingest = setting.kafka('ingest');
    const producer = ingest.producer();
    await producer.connect();
    await producer.send({ topic: ingest.topicName(MAIL_ACCEPTED), messages: [{ value: 'whatever', partition: 5 }] });
    await producer.disconnect();
    // Under an id of nobody's request, as ingest does.
    await setting.vault.condemnContentKeys(randomUUIDv7(), [message]);
    const about = () =>
      setting.holders.heard.filter(
        ({ command }) => command.step === 'in-flight' && command.messages.includes(message.messageId),
      );
    // It looks every 300 ms.
    expect(await until(async () => (await left([message])) === 0 || about().length > 0, 3_000)).toBe(false);
    const delivery = setting.kafka('delivery');
    await (
      await delivery.admin()
    ).setOffsets({
      groupId: delivery.groupName(MAIL_ACCEPTED.name),
      topic: delivery.topicName(MAIL_ACCEPTED),
      partitions: [{ partition: 5, offset: '1' }],
    });
    expect(await until(async () => (await left([message])) === 0, 15_000)).toBe(true);
    expect(about()).not.toEqual([]);
  });

  it('a key that delivery has given up is destroyed, and nobody is asked', async () => {
    const [shredded, others] = [await newKeys(3), await newKeys(1)];
    const ids = shredded.map(({ messageId }) => messageId);
    await setting.delivery.giveUpContentKeys(shredded);
    expect(await until(async () => (await left(shredded)) === 0, 15_000)).toBe(true);
    expect(await left(others)).toBe(1);
    const { rows } = await setting.database.query('select message_id from released_key where message_id = any($1)', [
      ids,
    ]);
    expect(new Set(rows.map((row) => row.message_id))).toEqual(new Set(ids));
    const asked = setting.holders.heard.filter(
      ({ command }) =>
        command.step === 'in-flight' && shredded.some(({ messageId }) => command.messages.includes(messageId)),
    );
    expect(asked).toEqual([]);
    // And out of the files: the marks are cleared by a pass alone.
    const marks = async () => (await setting.vaultAdmin.query('select from vault.dirty')).rowCount;
    expect(await until(async () => (await marks()) === 0, 15_000)).toBe(true);
    expect((await setting.vaultAdmin.query('select from vault.given_up')).rowCount).toBe(0);
    // Said again by one who was killed before it had heard the answer.
    await setting.delivery.giveUpContentKeys(shredded);
    expect((await setting.vaultAdmin.query('select from vault.given_up')).rowCount).toBe(0);
  });

  it('delivery that is away is asked again, and the request waits', async () => {
    const messages = await newKeys(1);
    setting.holders.behaviours.set(
      'accounts',
      at('erase', () => null),
    );
    const { id } = await setting.order([fresh()]);
    await setting.reach(id, () => setting.holders.steps(id, 'accounts').includes('erase'));
    await setting.vault.condemnContentKeys(id, messages);
    setting.holders.behaviours.set(
      'delivery',
      at('in-flight', (right, attempt) => (attempt < 3 ? null : right)),
    );
    setting.holders.behaviours.delete('accounts');
    const asked = () =>
      setting.holders.heard.filter(
        ({ service, command }) =>
          service === 'delivery' && command.step === 'in-flight' && command.messages.includes(messages[0].messageId),
      );
    expect(await until(() => asked().length === 2, 15_000)).toBe(true);
    expect([await setting.stageOf(id), await left(messages)]).toEqual(['release', 1]);
    await setting.reach(id, 'completed');
    expect(await left(messages)).toBe(0);
  });
});

describe('what stays blocked', () => {
  it('is counted in the certificate, as suppression leaves it', async () => {
    const address = fresh();
    const [pseudonym] = await setting.vault.pseudonyms(setting.account, [address]);
    await setting.suppress(pseudonym, setting.account, 'do-not-contact');
    const { id } = await setting.order([address, fresh()], { do_not_contact: 'keep' });
    await setting.reach(id, 'completed');
    const payload = await payloadOf(id);
    expect(payload.scope).toMatchObject({ do_not_contact: 'keep' });
    expect(payload.kept).toEqual([{ what: 'do-not-contact', count: 1, why: 'do-not-contact', until: null }]);
  });
});
