import { randomUUIDv7 } from 'node:crypto';
import type { PrivacyCommand, PrivacyReply } from '@lethe/contracts';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { Setting } from './support/setting.ts';

let setting: Setting;

beforeAll(async () => {
  setting = await new Setting(inject('stores')).open();
  await setting.start();
});
afterAll(() => setting?.close());
beforeEach(() => setting.holders.behaviours.clear());

const fresh = (): string => `p${randomUUIDv7()}@example.net`;
const events = (view: any) => view.holders.find(({ service }: any) => service === 'events');
const verifies = (id: string): number => setting.holders.steps(id, 'events').filter((step) => step === 'verify').length;

/** `events` with these documents of somebody; each erasure takes `takes` of them, and the answer to the first is lost. */
function killedWhileErasing(documents: number, takes: number): void {
  let left = documents;
  let erasures = 0;
  setting.holders.behaviours.set('events', (command: PrivacyCommand, right: PrivacyReply) => {
    const counted = (n: number) => (n === 0 ? {} : { event: n });
    if (command.step === 'verify') return { ...right, residual: counted(left) } as PrivacyReply;
    if (command.step !== 'erase') return right;
    const gone = Math.min(takes, left);
    left -= gone;
    erasures += 1;
    if (erasures === 1) return null;
    return { ...right, found: counted(gone), removed: counted(gone) } as PrivacyReply;
  });
}

async function certified(id: string): Promise<any> {
  const url = `/v1/privacy/requests/${id}/certificate`;
  const { body } = await setting.call({ account: setting.account }, 'GET', url);
  return body.payload.stores.find(({ store }: any) => store === 'elasticsearch: events');
}

it('a holder killed between removing and answering has removed what it removed', async () => {
  killedWhileErasing(12, 12);
  const { id } = await setting.order([fresh()]);
  const view = await setting.reach(id, 'completed');
  expect(setting.holders.steps(id, 'events').filter((step) => step === 'erase').length).toBeGreaterThan(1);
  expect(events(view)).toMatchObject({ found: { event: 12 }, removed: { event: 12 }, residual: {}, error: null });
  expect(await certified(id)).toMatchObject({ found: 12, removed: 12, residual: 0 });
});

it('adds up where it was killed, left something, and had to erase again', async () => {
  killedWhileErasing(12, 5);
  const { id } = await setting.order([fresh()]);
  const view = await setting.reach(id, 'completed');
  // Five and no answer, five, then the look finds two.
  expect(setting.holders.steps(id, 'events').filter((step) => step === 'erase').length).toBeGreaterThan(2);
  expect(events(view)).toMatchObject({ found: { event: 12 }, removed: { event: 12 }, residual: {} });
  expect(await certified(id)).toMatchObject({ found: 12, removed: 12, residual: 0 });
});

it('counts the keys that the ledger destroys, which no erasure removes', async () => {
  const address = fresh();
  await setting.vault.subjectsFor(setting.account, [address]);
  const { id } = await setting.order([address]);
  const { holders } = await setting.reach(id, 'completed');
  expect(holders.find(({ service }: any) => service === 'privacy')).toMatchObject({
    found: { key: 1 },
    removed: { key: 1 },
  });
});

it('nothing is removed before everybody has said what is there, and a kill meanwhile forgets no answer', async () => {
  killedWhileErasing(3, 3);
  setting.holders.behaviours.set('ingest', (command, right) => (command.step === 'verify' ? null : right));
  const { id } = await setting.order([fresh()]);
  const answered = (view: any) => events(view).step === 'survey' && events(view).state === 'acknowledged';
  const shown = await setting.reach(id, answered);
  expect(events(shown)).toMatchObject({ found: { event: 3 }, removed: {}, residual: {}, error: null });
  expect(shown.state).toBe('executing');
  await setting.stop();
  await setting.start();
  const asked = (view: any) => view.holders.some(({ attempts, service }: any) => service === 'ingest' && attempts >= 3);
  await setting.reach(id, asked);
  expect(await setting.stageOf(id)).toBe('survey');
  expect(setting.holders.steps(id, 'delivery')).not.toContain('erase');
  setting.holders.behaviours.delete('ingest');
  expect(events(await setting.reach(id, 'completed'))).toMatchObject({ found: { event: 3 }, removed: { event: 3 } });
});

it('an answer to the survey that comes late is none to the last look, and does no harm', async () => {
  let survey: PrivacyReply | undefined;
  let silent = true;
  setting.holders.behaviours.set('events', (command, right) => {
    if (command.step !== 'verify') return right;
    const erased = setting.holders.steps(command.requestId, 'events').includes('erase');
    if (!erased) return (survey = { ...right, residual: { event: 7 } } as PrivacyReply);
    return silent ? null : right;
  });
  const { id } = await setting.order([fresh()]);
  await setting.reach(id, (view) => events(view).step === 'verify');
  const before = events(await setting.show(id));
  // It is removed by nobody's saying so far, and asked once.
  expect(before).toMatchObject({ attempts: 1, state: 'asked', found: { event: 7 }, removed: {}, residual: {} });
  const looks = verifies(id);
  await setting.holders.say('events', survey!);
  await setting.holders.say('events', survey!);
  expect(await until(async () => verifies(id) > looks, 15_000)).toBe(true);
  expect(events(await setting.show(id))).toMatchObject({ state: 'failed', error: 'no-answer', residual: {} });
  silent = false;
  const after = events(await setting.reach(id, 'completed'));
  expect(after).toMatchObject({ found: { event: 7 }, removed: { event: 7 }, residual: {}, error: null });
  const erasures = setting.holders.steps(id, 'events').filter((step) => step === 'erase');
  expect(erasures).toHaveLength(1);
});

it('what was under way before there were surveys is certified by what was answered', async () => {
  setting.holders.behaviours.set('events', (command, right) => (command.step === 'erase' ? null : right));
  const { id } = await setting.order([fresh()]);
  await setting.reach(id, () => setting.holders.steps(id, 'events').includes('erase'));
  await setting.database.query(`delete from holder_answer where request_id = $1 and step = 'survey'`, [id]);
  setting.holders.behaviours.set('events', (command, right) =>
    command.step === 'erase' ? ({ ...right, found: { event: 4 }, removed: { event: 4 } } as PrivacyReply) : right,
  );
  await setting.reach(id, 'completed');
  expect(await certified(id)).toMatchObject({ found: 4, removed: 4, residual: 0 });
});
