import { createSecretKey, randomBytes } from 'node:crypto';
import { readReturnPath } from '@lethe/mail';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { send, SENDER, type AcceptedMail } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { somebody } from './support/plant.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const KEY = randomBytes(32).toString('hex');

/** What comes after a server took the mail goes to MAIL FROM (RFC 5321 §6.1). */
describe('MAIL FROM', () => {
  let around: Surroundings;
  let service: CreatedService | undefined;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
  });
  afterEach(async () => {
    await service?.app.close();
    service = undefined;
  });
  afterAll(async () => {
    await events?.stop();
    await around?.end();
  });

  const start = async (environment: Record<string, string> = {}): Promise<void> => {
    service = await startDelivery({ ...around.environment, ...environment });
  };
  const delivered = ({ messageId }: AcceptedMail) => events.next(messageId, 'delivered', undefined, 40_000);
  const fromOf = async (to: string): Promise<string[]> => (await received(around, to)).map(({ from }) => from);
  const meant = (from: string) => readReturnPath(createSecretKey(KEY, 'hex'), from.slice(0, from.indexOf('@')));

  it('is the sender where no host is named', async () => {
    await start({ RETURN_PATH_KEY: KEY });
    const to = somebody();
    await delivered(await send(around, { to: [to] }));
    expect(await fromOf(to)).toEqual([SENDER]);
  });

  it('is each recipient’s own at the host, the same when they are tried again, and nobody’s where the sender is forgotten', async () => {
    await start({ RETURN_PATH_HOST: 'Bounces.example.net', RETURN_PATH_KEY: KEY });
    // The message arrives, and its session ends without a word: it goes once more.
    const [once, twice] = [somebody(), somebody('mute')];
    const mail = await send(around, { to: [once, twice] });
    expect(await until(async () => (await received(around, twice)).length === 2, 40_000)).toBe(true);
    expect(await until(async () => (await received(around, once)).length === 1, 40_000)).toBe(true);
    const [first, again] = await fromOf(twice);
    expect(again).toBe(first);
    const [own] = await fromOf(once);
    for (const [ordinal, from] of [own, first].entries()) {
      expect(from).toMatch(/^b-[0-9a-v]{56}@bounces\.example\.net$/);
      expect(meant(from)).toEqual({ messageId: mail.messageId, ordinal });
    }

    const to = somebody('greylist');
    const late = await send(around, { to: [to] });
    await events.next(late.messageId, 'failed', 1, 40_000);
    await around.cutOff(late.records[0].related[0].subject);
    await delivered(late);
    expect(await fromOf(to)).toEqual(['']);
  });

  it.each([
    ['a host is named', { RETURN_PATH_HOST: 'bounces.example.net', RETURN_PATH_KEY: KEY }],
    ['none is', {}],
  ])('is nobody’s at every attempt where the sender asked for it, whether %s', async (_, environment) => {
    await start(environment);
    const [to, late] = [somebody(), somebody('greylist')];
    const mail = await send(around, { to: [to], record: { nullSender: true } });
    const again = await send(around, { to: [late], record: { nullSender: true } });
    await delivered(mail);
    await events.next(again.messageId, 'failed', 1, 40_000);
    await delivered(again);
    expect([await fromOf(to), await fromOf(late)]).toEqual([[''], ['']]);
  });

  it('is at a host of the sending domain where that is asked for', async () => {
    await start({ RETURN_PATH_HOST: 'bounce.{domain}', RETURN_PATH_KEY: KEY });
    const to = somebody();
    const mail = await send(around, { to: [to] });
    await delivered(mail);
    const [from] = await fromOf(to);
    expect(from).toMatch(/@bounce\.sender\.example$/);
    expect(meant(from)).toEqual({ messageId: mail.messageId, ordinal: 0 });
  });

  it.each([
    ['a host and no key', { RETURN_PATH_HOST: 'bounces.example.net' }, 'RETURN_PATH_KEY: missing'],
    ['a host that is none', { RETURN_PATH_HOST: 'bounce-{domain}', RETURN_PATH_KEY: KEY }, 'RETURN_PATH_HOST: must be'],
    ['a key that is none', { RETURN_PATH_KEY: 'secret' }, 'RETURN_PATH_KEY: must be'],
  ])('stops the start with %s, by name', async (_, environment, message) => {
    await expect(start(environment)).rejects.toThrow(message);
  });
});
