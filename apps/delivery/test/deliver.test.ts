import { randomUUID } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  SUPPRESSION_ENTRIES,
  suppressionKey,
  type Reply,
  type SuppressionEntry,
} from '@lethe/contracts';
import { assertNoDrift } from '@lethe/database';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { authenticate } from 'mailauth';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { SmtpConnection } from '../src/smtp/smtp-connection.ts';
import { accept, publish, send, SENDER } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

describe('delivery', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(
      inject('stores'),
      { SMTP_COMMAND_TIMEOUT_MS: '6000', SUSPENDED_RECHECK_MS: '300' },
      { slowMs: 4_000, smtpAddresses: ['127.0.0.9'] },
    );
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  const dns = (name: string, type: string, value: string | string[]) =>
    fetch(`${around.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
  const rows = async (messageId: string) =>
    (await around.database.query('select * from deferred where message_id = $1', [messageId])).rows as object[];
  const status = (event: object) => (event as { deliveryStatus?: unknown }).deliveryStatus as Record<string, unknown>;

  it('has the tables its entities say', async () => {
    await expect(assertNoDrift(service.app.get(DataSource))).resolves.toBeUndefined();
  });

  it('delivers, signed, the body byte for byte, and says so', async () => {
    const { messageId, raw } = await send(around, { to: ['ok@world.example'] });
    const event = await events.next(messageId, 'delivered', 1);
    const [message] = await received(around, 'ok@world.example');
    expect(message).toMatchObject({ from: SENDER, to: ['ok@world.example'], tls: true });
    const sent = message?.raw ?? Buffer.alloc(0);
    expect(sent.subarray(sent.length - raw.length)).toEqual(raw);
    const added = sent.subarray(0, sent.length - raw.length).toString();
    const names = added.split('\r\n').filter((line) => /^\S/.test(line));
    expect(names.map((line) => line.split(':')[0])).toEqual(['Received', 'DKIM-Signature', 'Feedback-ID']);
    expect(added).toContain(`Feedback-ID: ${around.domain.domainId}:${around.accountId}:lethe\r\n`);
    expect(/\bh=[^;]*/.exec(added)?.[0]).toContain('feedback-id');
    const resolver = new Resolver();
    resolver.setServers([`${around.world.dns.host}:${around.world.dns.port}`]);
    const { dkim } = await authenticate(sent, {
      sender: SENDER,
      ip: '127.0.0.1',
      resolver: (name: string, type: string) => resolver.resolve(name, type as 'TXT'),
    });
    expect(dkim.results[0]?.status.result).toBe('pass');
    expect(event).toMatchObject({
      type: 'delivered',
      accountId: around.accountId,
      recipient: { role: 'to' },
      deliveryStatus: { code: 250, enhancedCode: '2.0.0', attempt: 1, tls: true, maybeDuplicate: false },
    });
  });

  it('sends every recipient of a message the same octets, over few connections', async () => {
    const to = Array.from({ length: 100 }, (_, index) => `many${index}@world.example`);
    const { messageId } = await send(around, { to });
    expect(await until(() => events.of(messageId).length === 100, 15_000)).toBe(true);
    expect(events.of(messageId).every(({ type }) => type === 'delivered')).toBe(true);
    const copies = new Set<string>();
    for (const address of to) for (const { raw } of await received(around, address)) copies.add(raw.toString('latin1'));
    expect(copies.size).toBe(1);
    const stats = (await (await fetch(`${around.world.http}/stats`)).json()) as { peak: number };
    expect(stats.peak).toBeLessThanOrEqual(20);
  });

  it('defers a greylisted recipient and delivers on the retry', async () => {
    const { messageId } = await send(around, { to: ['greylist@world.example'] });
    const first = await events.next(messageId, 'failed', 1);
    expect(first).toMatchObject({ severity: 'temporary', reason: 'greylisted' });
    expect(status(first)).toMatchObject({ code: 451, enhancedCode: '4.7.1' });
    expect(status(first)['retrySeconds']).toBeGreaterThan(0.4);
    const second = await events.next(messageId, 'delivered', 2);
    expect(status(second)).toMatchObject({ maybeDuplicate: false });
    const [message] = await received(around, 'greylist@world.example');
    expect(message?.raw.toString()).not.toContain('maybe-duplicate');
    expect(await until(async () => (await rows(messageId)).length === 0, 2_000)).toBe(true);
  });

  it('holds nothing personal of a deferred recipient in clear', async () => {
    const { messageId } = await send(around, { to: ['temperror+secret.person@world.example'] });
    await events.next(messageId, 'failed', 1);
    expect(await until(async () => (await rows(messageId)).length === 1, 2_000)).toBe(true);
    const text = JSON.stringify(await rows(messageId));
    for (const clear of ['secret.person', 'world.example', 'A test', 'news@']) expect(text).not.toContain(clear);
  });

  it.each([
    ['550@world.example', 550, 'bounce'],
    ['full@world.example', 552, 'bounce'],
    ['someone@nullmx.example', 556, 'bounce'],
    ['someone@nxdomain.example', 550, 'bounce'],
  ])('fails %s at once and for good', async (to, code, reason) => {
    const { messageId } = await send(around, { to: [to] });
    expect(await events.next(messageId, 'failed', 1)).toMatchObject({
      severity: 'permanent',
      reason,
      deliveryStatus: { code },
    });
    expect(await rows(messageId)).toEqual([]);
  });

  it('seals what the server said under the recipient, addresses masked', async () => {
    const { messageId, records } = await send(around, { to: ['550+jane@world.example'] });
    const event = await events.next(messageId, 'failed', 1);
    const reply = await around.ingest.vault.open<Reply>(status(event)['reply'] as string, {
      account: around.accountId,
      type: 'reply',
      recordId: event.id,
    });
    expect(reply).toEqual({ text: '5.1.1 <recipient>: no such mailbox', mxHost: 'mx.world.example' });
    expect(event.recipient).toEqual(records[0]?.recipient);
  });

  it.each([
    ['someone@servfail.example', '4.4.3'],
    ['timeout@world.example', '4.4.2'],
  ])('defers %s', async (to, enhancedCode) => {
    const { messageId } = await send(around, { to: [to] });
    const event = await events.next(messageId, 'failed', 1);
    expect(event).toMatchObject({ severity: 'temporary', deliveryStatus: { code: 498, enhancedCode } });
    expect(await until(async () => (await rows(messageId)).length === 1, 2_000)).toBe(true);
    expect((await rows(messageId))[0]).toMatchObject({ attempt: 2, maybe_duplicate: false });
  });

  it('takes the address of a domain without MX (RFC 5321 §5.1)', async () => {
    const { messageId } = await send(around, { to: ['ok@nomx.example'] });
    expect(await events.next(messageId, 'delivered', 1)).toMatchObject({ type: 'delivered' });
  });

  it('goes to the next exchanger when the first cannot be reached', async () => {
    await dns('two.example', 'MX', ['10 dead.two.example', '20 mx.world.example']);
    // Loopback, and nobody listens there.
    await dns('dead.two.example', 'A', '127.0.0.77');
    const { messageId } = await send(around, { to: ['ok@two.example'] });
    expect(await events.next(messageId, 'delivered', 1)).toMatchObject({ type: 'delivered' });
  });

  it('sends to an address that is not ASCII (RFC 6531)', async () => {
    const { messageId } = await send(around, { to: ['ok+grüße@world.example'] });
    expect(await events.next(messageId, 'delivered', 1)).toMatchObject({ type: 'delivered' });
    expect(await received(around, 'ok+grüße@world.example')).toHaveLength(1);
  });

  it('sends five megabytes with leading dots byte for byte', async () => {
    const body = `.dots\r\n..\r\n${'and text '.repeat(100)}\r\n`.repeat(5_500);
    const { messageId, raw } = await send(around, { to: ['ok+large@world.example'], body });
    await events.next(messageId, 'delivered', 1, 30_000);
    const [message] = await received(around, 'ok+large@world.example');
    const sent = message.raw;
    expect(sent.subarray(sent.length - raw.length).equals(raw)).toBe(true);
  });

  it('sends what requires TLS over TLS', async () => {
    const { messageId } = await send(around, {
      to: ['ok+tls@world.example'],
      record: { requireTls: true, skipVerification: true },
    });
    expect(await events.next(messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { tls: true } });
  });

  it('marks the retry after a connection that broke behind the final dot', async () => {
    const { messageId } = await send(around, { to: ['drop@world.example'] });
    const event = await events.next(messageId, 'failed', 1);
    expect(status(event)).toMatchObject({ code: 498, enhancedCode: '4.4.2', maybeDuplicate: false });
    expect(status(await events.next(messageId, 'failed', 2))).toMatchObject({ maybeDuplicate: true });
  });

  it('marks what may have been sent before, outside the signature', async () => {
    await send(around, { to: ['again@world.example'], maybeDuplicate: true });
    expect(await until(async () => (await received(around, 'again@world.example')).length === 1, 10_000)).toBe(true);
    const [message] = await received(around, 'again@world.example');
    expect(message?.raw.toString()).toMatch(/^X-Lethe-Delivery: maybe-duplicate\r\nReceived: /);
  });

  it.each([true, false])(
    'does not send again what it has just concluded, when its record comes again, marked: %s',
    async (marked) => {
      const { messageId, records } = await send(around, { to: [`once+${marked}@world.example`] });
      await events.next(messageId, 'delivered', 1);
      await publish(around, records, marked);
      const { messageId: later } = await send(around, { to: ['later@world.example'] });
      await events.next(later, 'delivered', 1);
      // Long enough for a second copy to have come, had it been sent.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await received(around, `once+${marked}@world.example`)).toHaveLength(1);
      expect(events.of(messageId)).toHaveLength(1);
    },
  );

  it('leaves a record alone that may have been handed over and was', async () => {
    const { messageId, records } = await send(around, { to: ['temperror+over@world.example'] });
    await events.next(messageId, 'failed', 1);
    expect(await until(async () => (await rows(messageId)).length === 1, 2_000)).toBe(true);
    await publish(around, records, true);
    await events.next(messageId, 'failed', 3);
    const firsts = events.of(messageId).filter((event) => status(event as never)['attempt'] === 1);
    expect(firsts).toHaveLength(1);
  });

  it('tells of an attempt that failed for now, and for good when it was repeated, as of two', async () => {
    const expiresAt = Date.now() + 3_000;
    const { messageId } = await send(around, { to: ['temperror+twice@world.example'], record: { expiresAt } });
    const first = await events.next(messageId, 'failed', 1);
    // As a crash leaves it that comes between telling and keeping that there is another attempt.
    const forgot = async () => {
      const text = `update deferred set attempt = 1, next_at = $2
                     where message_id = $1 and (lease_until is null or lease_until < now())`;
      return (await around.database.query(text, [messageId, new Date(expiresAt)])).rowCount === 1;
    };
    expect(await until(forgot, 2_000, 10)).toBe(true);
    expect(
      await until(() => events.of(messageId).some((event) => 'reason' in event && event.reason === 'old'), 10_000),
    ).toBe(true);
    const last = events.of(messageId).at(-1);
    expect([status(first)['attempt'], status(last as object)['attempt']]).toEqual([1, 1]);
    expect(last?.id).not.toBe(first.id);
  });

  it('does not let slow and silent recipients hold up others', async () => {
    // An exchanger of their own: the world's puts mail of other tests off again and again, and is spoken to the less for it.
    await dns('mx.fresh.example', 'A', '127.0.0.9');
    await dns('fresh.example', 'MX', '10 mx.fresh.example');
    const [slow, fast] = await accept(around, [
      { to: Array.from({ length: 10 }, (_, index) => `slow+${index}@fresh.example`) },
      { to: Array.from({ length: 50 }, (_, index) => `fast${index}@fresh.example`) },
    ]);
    await publish(around, slow.records);
    await publish(around, fast.records);
    expect(await until(() => events.of(fast.messageId).length === 50, 15_000)).toBe(true);
    expect(events.of(slow.messageId)).toEqual([]);
    expect(await until(() => events.of(slow.messageId).length === 10, 15_000)).toBe(true);
  });

  it('in test mode asks no server', async () => {
    const { messageId } = await send(around, { to: ['testmode@world.example'], record: { testMode: true } });
    expect(status(await events.next(messageId, 'delivered', 1))).toMatchObject({ code: 650 });
    expect(await received(around, 'testmode@world.example')).toEqual([]);
  });

  it('gives up what has expired, without an attempt', async () => {
    const { messageId } = await send(around, { to: ['late@world.example'], record: { expiresAt: Date.now() - 1 } });
    expect(await events.next(messageId, 'failed')).toMatchObject({ severity: 'permanent', reason: 'old' });
    expect(await received(around, 'late@world.example')).toEqual([]);
  });

  it('gives up a deferred recipient when the message expires', async () => {
    const { messageId } = await send(around, {
      to: ['temperror@world.example'],
      record: { expiresAt: Date.now() + 2_000 },
    });
    const find = () => events.of(messageId).find((event) => event.type === 'failed' && event.severity === 'permanent');
    expect(await until(() => find() !== undefined, 10_000)).toBe(true);
    expect(find()).toMatchObject({ reason: 'old' });
    expect(await until(async () => (await rows(messageId)).length === 0, 2_000)).toBe(true);
  });

  it.each([
    ['bounce', 605, 'suppress-bounce', 'domain'],
    ['unsubscribe', 606, 'suppress-unsubscribe', 'domain'],
    ['complaint', 607, 'suppress-complaint', 'domain'],
    // What an erasure leaves: for every domain of the account, also one that is made later.
    ['do-not-contact', 606, 'suppress-unsubscribe', 'account'],
  ] as const)('does not mail who is suppressed (%s)', async (why, code, reason, scope) => {
    const address = `stop-${why}@world.example`;
    const pseudonym = await around.ingest.vault.pseudonym(around.accountId, address);
    const value: SuppressionEntry = { reasons: [why], at: Date.now() };
    const scopeId = scope === 'domain' ? around.domain.domainId : around.accountId;
    const key = suppressionKey(pseudonym.toString('base64url'), scopeId);
    await around.settings.suppressions.publish(SUPPRESSION_ENTRIES, [
      { key, value, id: randomUUID(), type: 'suppression' },
    ]);
    // The table has it once a later record of the same topic has had its effect; in force after one second (design §5).
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { messageId } = await send(around, { to: [address] });
    expect(await events.next(messageId, 'failed', 1)).toMatchObject({
      severity: 'permanent',
      reason,
      deliveryStatus: { code },
    });
    expect(await received(around, address)).toEqual([]);
  });

  it('gives a server that takes its time no content for who says stop meanwhile', async () => {
    const to = 'slow+stop@world.example';
    const sending = vi.spyOn(SmtpConnection.prototype, 'send');
    const { messageId } = await send(around, { to: [to] });
    await vi.waitFor(() => expect(sending.mock.calls.map(([{ to: whom }]) => whom)).toContain(to), 10_000);
    sending.mockRestore();
    const pseudonym = await around.ingest.vault.pseudonym(around.accountId, to);
    const key = suppressionKey(pseudonym.toString('base64url'), around.domain.domainId);
    const value: SuppressionEntry = { reasons: ['complaint'], at: Date.now() };
    await around.settings.suppressions.publish(SUPPRESSION_ENTRIES, [
      { key, value, id: randomUUID(), type: 'suppression' },
    ]);
    expect(await events.next(messageId, 'failed', 1)).toMatchObject({ reason: 'suppress-complaint' });
    expect(await received(around, to)).toEqual([]);
  });

  it('sends nothing for a disabled domain', async () => {
    const disabled = { ...around.domain, domainId: randomUUID(), state: 'disabled' } as const;
    await around.settings.domains.publish(DOMAIN_SETTINGS, [
      { key: disabled.domainId, value: disabled, id: randomUUID(), type: 'domain-settings' },
    ]);
    const { messageId } = await send(around, { to: ['ok+off@world.example'], record: { domainId: disabled.domainId } });
    expect(await events.next(messageId, 'failed', 1)).toMatchObject({
      severity: 'permanent',
      deliveryStatus: { code: 550 },
    });
    expect(await received(around, 'ok+off@world.example')).toEqual([]);
  });

  it('keeps the mail of a suspended account, and sends it when that is lifted', async () => {
    const account = (state: 'active' | 'suspended') =>
      around.settings.domains.publish(ACCOUNT_SETTINGS, [
        {
          key: around.accountId,
          value: { accountId: around.accountId, state, keys: [] },
          id: randomUUID(),
          type: 'account-settings',
        },
      ]);
    await account('suspended');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { messageId } = await send(around, { to: ['ok+held@world.example'] });
    expect(await until(async () => (await rows(messageId)).length === 1, 5_000)).toBe(true);
    const lookedAt = async () =>
      (await rows(messageId)).map((row) => String((row as { next_at: Date }).next_at.getTime()));
    const [first] = await lookedAt();
    expect(await until(async () => (await lookedAt())[0] !== first, 5_000)).toBe(true);
    expect(events.of(messageId)).toEqual([]);
    expect(await received(around, 'ok+held@world.example')).toEqual([]);
    await account('active');
    expect(await events.next(messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { maybeDuplicate: false } });
    expect(await received(around, 'ok+held@world.example')).toHaveLength(1);
  });
});
