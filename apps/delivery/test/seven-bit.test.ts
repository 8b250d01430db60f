import { Resolver } from 'node:dns/promises';
import type { CreatedService } from '@lethe/service';
import { recordingExchanger, type RecordingExchanger } from '@lethe/testing';
import { viewMail } from '@lethe/mail';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { send, SENDER } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const BODY = 'Grüße aus Köln.\r\n.a line that begins with a dot';

/** RFC 6152 §3: who relays to a server that takes no eight bits converts, or returns the message. */
describe('a message of eight bits', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;
  /** Offers no extension at all. */
  let old: RecordingExchanger;

  beforeAll(async () => {
    // One session, so that what is said in it is not mixed with another's.
    around = await surroundings(inject('stores'), {
      SMTP_CONNECTIONS_PER_EXCHANGER: '1',
      LARGE_MESSAGES_BYTES: '1000000',
    });
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
    old = await recordingExchanger('127.0.7.1', around.world.smtp.port);
    for (const [name, type, value] of [
      ['mx.old.test', 'A', '127.0.7.1'],
      ['old.test', 'MX', '10 mx.old.test'],
    ]) {
      await fetch(`${around.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
    }
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    old?.close();
    await around?.end();
  });

  /** What came between DATA and the final dot. */
  function contentsOf({ lines }: RecordingExchanger): Buffer[] {
    const contents: Buffer[] = [];
    for (let at = lines.indexOf('DATA'); at !== -1; at = lines.indexOf('DATA', at + 1)) {
      const content = lines.slice(at + 1, lines.indexOf('.', at)).map((line) => line.replace(/^\./, ''));
      contents.push(Buffer.from(`${content.join('\r\n')}\r\n`, 'latin1'));
    }
    return contents;
  }
  async function signature(raw: Buffer): Promise<string | undefined> {
    const resolver = new Resolver();
    resolver.setServers([`${around.world.dns.host}:${around.world.dns.port}`]);
    const { dkim } = await authenticate(raw, {
      sender: SENDER,
      ip: '127.0.0.1',
      resolver: (name: string, type: string) => resolver.resolve(name, type as 'TXT'),
    });
    return dkim.results[0]?.status.result;
  }

  it('goes in seven to a server that takes no more, signed as it goes, to each of its recipients', async () => {
    const { messageId } = await send(around, { to: ['ana@old.test', 'ok@world.example', 'bob@old.test'], body: BODY });
    await expect.poll(() => events.of(messageId).length, { timeout: 40_000 }).toBe(3);
    expect(events.of(messageId).map(({ type }) => type)).toEqual(['delivered', 'delivered', 'delivered']);
    const [first, second, ...more] = contentsOf(old);
    expect(more).toEqual([]);
    expect(second).toEqual(first);
    const copy = first ?? Buffer.alloc(0);
    expect(copy.every((octet) => octet < 0x80)).toBe(true);
    expect(viewMail(copy).plain).toBe(`${BODY}\r\n`);
    expect(await signature(copy)).toBe('pass');
    expect(old.lines.some((line) => line.includes('8BITMIME'))).toBe(false);
  });

  it('goes as it is to one that does', async () => {
    const [message] = await received(around, 'ok@world.example');
    const raw = message?.raw ?? Buffer.alloc(0);
    expect(raw.toString()).toContain(BODY);
    expect(await signature(raw)).toBe('pass');
  });

  it('goes alone where converting it takes more memory than there is for large ones', async () => {
    const large = `${'Grüße aus Köln, und viele. '.repeat(3)}\r\n`.repeat(3_000);
    const before = contentsOf(old).length;
    const sent = await Promise.all(
      ['eva@old.test', 'max@old.test'].map((to) => send(around, { to: [to], body: large })),
    );
    for (const { messageId } of sent) {
      await expect.poll(() => events.of(messageId).map(({ type }) => type), { timeout: 40_000 }).toEqual(['delivered']);
    }
    expect(contentsOf(old).length).toBe(before + 2);
  });
});
