import { Resolver } from 'node:dns/promises';
import type { UnsubscribeLink } from '@lethe/contracts';
import type { CreatedService } from '@lethe/service';
import { addresseeOf, Vault } from '@lethe/vault';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { send, SENDER } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const LINE = /^List-Unsubscribe:\r\n <https:\/\/mail\.example\.net\/unsubscribe\/([\w-]+)\.([\w.-]+)>\r\n/m;

describe('a link to unsubscribe by', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  const jweOf = (raw: string): string => {
    const [, header = '', rest = ''] = LINE.exec(raw) ?? [];
    return `${header}..${rest}`;
  };

  it('is each recipient’s own, in a header that is signed, and says nothing in clear', async () => {
    const to = ['ok+one@world.example', 'ok+two@world.example'];
    const { messageId, raw, records } = await send(around, { to, record: { unsubscribe: true } });
    await Promise.all(to.map(() => events.next(messageId, 'delivered', 1)));
    const resolver = new Resolver();
    resolver.setServers([`${around.world.dns.host}:${around.world.dns.port}`]);
    const links = new Set<string>();
    for (const [ordinal, address] of to.entries()) {
      const [message] = await received(around, address);
      const sent = message?.raw ?? Buffer.alloc(0);
      expect(sent.subarray(sent.length - raw.length)).toEqual(raw);
      const text = sent.toString();
      expect(text).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
      const signature = /DKIM-Signature:(?:.*\r\n\s)*.*\bh=((?:[\w-]+:?(?:\r\n\s+)?)+);/.exec(text)?.[1] ?? '';
      expect(signature.replace(/\s/g, '').split(':')).toEqual(
        expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post']),
      );
      const { dkim } = await authenticate(sent, {
        sender: SENDER,
        ip: '127.0.0.1',
        resolver: (name: string, type: string) => resolver.resolve(name, type as 'TXT'),
      });
      expect(dkim.results[0]?.status.result).toBe('pass');
      const jwe = jweOf(text);
      links.add(jwe);
      const { account, subject, type, recordId } = addresseeOf(jwe);
      // Under their own key: with it the link is gone, for whoever has a copy.
      expect({ account, subject, type, recordId }).toEqual({
        account: around.accountId,
        subject: records[ordinal]?.recipient.subject,
        type: 'unsubscribe-link',
        recordId: `${messageId}/${ordinal}`,
      });
      for (const part of jwe.split('.')) expect(Buffer.from(part, 'base64url').toString()).not.toContain('world.exam');
      const link = await service.app.get(Vault).open<UnsubscribeLink>(jwe, { account, type, recordId });
      expect(link).toEqual({
        address,
        domainId: around.domain.domainId,
        messageIdHeader: `${messageId}@sender.example`,
      });
    }
    expect(links.size).toBe(2);
  });

  it('stands where the message asks for it, in a copy whose signature is right', async () => {
    const address = 'ok+body@world.example';
    const { messageId } = await send(around, {
      to: [address],
      body: 'Stop here: %unsubscribe_url%',
      record: { unsubscribe: true },
    });
    await events.next(messageId, 'delivered', 1);
    const [message] = await received(around, address);
    const text = (message?.raw.toString() ?? '').replaceAll('=\r\n', '');
    expect(text).toMatch(/Stop here: https:\/\/mail\.example\.net\/unsubscribe\/[\w-]+\.[\w.-]+/);
    const resolver = new Resolver();
    resolver.setServers([`${around.world.dns.host}:${around.world.dns.port}`]);
    const { dkim } = await authenticate(message?.raw ?? Buffer.alloc(0), {
      sender: SENDER,
      ip: '127.0.0.1',
      resolver: (name: string, type: string) => resolver.resolve(name, type as 'TXT'),
    });
    expect(dkim.results[0]?.status.result).toBe('pass');
  });

  it('is in no mail that is not to have one', async () => {
    const address = 'ok+none@world.example';
    const { messageId } = await send(around, { to: [address], body: 'Stop here: %unsubscribe_url%' });
    await events.next(messageId, 'delivered', 1);
    const [message] = await received(around, address);
    expect(message?.raw.toString()).toContain('Stop here: %unsubscribe_url%');
    expect(message?.raw.toString()).not.toContain('List-Unsubscribe');
  });
});
