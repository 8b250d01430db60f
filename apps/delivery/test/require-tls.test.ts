import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { DOMAIN_SETTINGS, type DomainSettings } from '@lethe/contracts';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SettingsService } from '../src/settings/settings.service.ts';
import { send } from './support/mail.ts';
import { watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

/** Another loopback address, because the port is that of the world's exchanger. */
const CLEAR_HOST = '127.0.0.2';

describe('a domain that requires TLS', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;
  let clear: { server: Server; envelopes: number };

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
    clear = await withoutTls(around.world.smtp.port);
    for (const [name, type, value] of [
      ['clear.example', 'MX', '10 mx.clear.example'],
      ['mx.clear.example', 'A', CLEAR_HOST],
    ]) {
      await fetch(`${around.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
    }
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    clear?.server.close();
    await around?.end();
  });

  const publishDomain = async (change: Partial<DomainSettings>) => {
    const value = { ...around.domain, ...change };
    await around.settings.domains.publish(DOMAIN_SETTINGS, [
      { key: value.domainId, value, id: randomUUID(), type: 'domain-settings' },
    ]);
    const settings = service.app.get(SettingsService);
    const known = () => settings.domain(value.domainId)?.requireTls === value.requireTls;
    expect(await until(known, 5_000, 20)).toBe(true);
  };

  it('sends to no server in clear, and what waits goes when the domain no longer asks for it', async () => {
    const first = await send(around, { to: ['first@clear.example'] });
    expect(await events.next(first.messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { tls: false } });
    expect(clear.envelopes).toBe(1);

    await publishDomain({ requireTls: true });
    const waiting = await send(around, { to: ['waiting@clear.example'] });
    expect(await events.next(waiting.messageId, 'failed', 1)).toMatchObject({
      severity: 'temporary',
      deliveryStatus: { code: 498, enhancedCode: '4.7.10' },
    });
    const secured = await send(around, { to: ['ok+secured@world.example'] });
    expect(await events.next(secured.messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { tls: true } });
    expect(clear.envelopes).toBe(1);

    await publishDomain({ requireTls: false });
    expect(await until(() => events.of(waiting.messageId).some(({ type }) => type === 'delivered'), 15_000)).toBe(true);
    expect(clear.envelopes).toBe(2);
  });
});

/** An exchanger that takes everything and has no STARTTLS. */
async function withoutTls(port: number): Promise<{ server: Server; envelopes: number }> {
  const server = createServer((socket) => {
    let content = false;
    let rest = '';
    socket.on('error', () => undefined);
    socket.write('220 mx.clear.example\r\n');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (content && line !== '.') continue;
        content = line === 'DATA';
        if (line.startsWith('MAIL')) state.envelopes += 1;
        if (line === 'QUIT') socket.end('221 bye\r\n');
        else socket.write(content ? '354 go on\r\n' : '250 ok\r\n');
      }
    });
  });
  const state = { server, envelopes: 0 };
  server.listen(port, CLEAR_HOST);
  await once(server, 'listening');
  return state;
}
