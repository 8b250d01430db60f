import { Resolver } from 'node:dns/promises';
import { createService, type CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DeliveryModule } from '../src/app.module.ts';
import { config } from '../src/config.ts';
import { send, SENDER } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

describe('delivery', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
    service = await createService({ name: 'delivery', module: DeliveryModule, config }, { environment: around.environment });
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  it('delivers, signed, the body byte for byte, and says so', async () => {
    const { messageId, raw } = await send(around, { to: ['ok@world.example'] });
    const event = await events.next(messageId, 'delivered', 1);
    const [message] = await received(around, 'ok@world.example');
    expect(message).toMatchObject({ from: SENDER, to: ['ok@world.example'], tls: true });
    const sent = message?.raw ?? Buffer.alloc(0);
    expect(sent.subarray(sent.length - raw.length)).toEqual(raw);
    const added = sent.subarray(0, sent.length - raw.length).toString();
    expect(added.split('\r\n').filter((line) => /^\S/.test(line)).map((line) => line.split(':')[0])).toEqual([
      'Received',
      'DKIM-Signature',
    ]);
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
      deliveryStatus: { code: 250, attempt: 1, tls: true, maybeDuplicate: false },
    });
  });
});
