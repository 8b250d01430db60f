import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { DOMAIN_SETTINGS, domainSettings, type DomainSettings } from '@lethe/contracts';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SettingsService } from '../src/settings/settings.service.ts';
import { send, SENDER } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

/** Another loopback address, because the port is that of the world's exchanger. */
const CLEAR_HOST = '127.0.0.2';

describe('what a domain’s settings change at delivery', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;
  let clear: { server: Server; envelopes: number };

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
    clear = await withoutTls(around.world.smtp.port);
    await register('clear.example', 'MX', '10 mx.clear.example');
    await register('mx.clear.example', 'A', CLEAR_HOST);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    clear?.server.close();
    await around?.end();
  });

  const register = (name: string, type: string, value: string) =>
    fetch(`${around.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
  const publishDomain = async (change: Partial<DomainSettings>) => {
    const value = { ...around.domain, ...change };
    await around.settings.domains.publish(DOMAIN_SETTINGS, [
      { key: value.domainId, value, id: randomUUID(), type: 'domain-settings' },
    ]);
    const settings = service.app.get(SettingsService);
    const known = () => JSON.stringify(settings.domain(value.domainId)) === JSON.stringify(domainSettings.parse(value));
    expect(await until(known, 5_000, 20)).toBe(true);
  };

  it('requireTls: sends to no server in clear, and what waits goes when the domain no longer asks for it', async () => {
    const first = await send(around, { to: ['first@clear.example'] });
    expect(await events.next(first.messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { tls: false } });
    expect(clear.envelopes).toBe(1);

    await publishDomain({ requireTls: true, skipVerification: true });
    const waiting = await send(around, { to: ['waiting@clear.example'] });
    expect(await events.next(waiting.messageId, 'failed', 1)).toMatchObject({
      severity: 'temporary',
      deliveryStatus: { code: 498, enhancedCode: '4.7.10' },
    });
    const secured = await send(around, { to: ['ok+secured@world.example'] });
    expect(await events.next(secured.messageId, 'delivered', 1)).toMatchObject({ deliveryStatus: { tls: true } });
    expect(clear.envelopes).toBe(1);

    await publishDomain({ requireTls: false, skipVerification: false });
    expect(await until(() => events.of(waiting.messageId).some(({ type }) => type === 'delivered'), 15_000)).toBe(true);
    expect(clear.envelopes).toBe(2);
  });

  it('dkimEd25519: signs a second time, beside the RSA key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
    await register(`ed._domainkey.${around.domain.name}`, 'TXT', `v=DKIM1; k=ed25519; p=${p}`);
    const { accountId: account, domainId: recordId } = around.domain;
    const seal = { account, period: 'standing', type: 'dkim-key', recordId } as const;
    const part = { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
    const sealed = await around.ingest.vault.sealForAccount(seal, part);
    await publishDomain({ dkimEd25519: { selector: 'ed', privateKey: sealed } });
    const { messageId } = await send(around, { to: ['ok+both@world.example'] });
    await events.next(messageId, 'delivered', 1);
    const [message] = await received(around, 'ok+both@world.example');
    const resolver = new Resolver();
    resolver.setServers([`${around.world.dns.host}:${around.world.dns.port}`]);
    const { dkim } = await authenticate(message?.raw ?? Buffer.alloc(0), {
      sender: SENDER,
      ip: '127.0.0.1',
      resolver: (name: string, type: string) => resolver.resolve(name, type as 'TXT'),
    });
    const results = dkim.results.map(({ selector, status }) => [selector, status.result]);
    expect(results).toHaveLength(2);
    expect(results).toEqual(
      expect.arrayContaining([
        ['ed', 'pass'],
        ['lethe', 'pass'],
      ]),
    );
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
