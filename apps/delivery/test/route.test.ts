import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@lethe/service';
import { startWorld, type World } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DnsClient } from '../src/dns/dns.client.ts';
import { MxResolver } from '../src/dns/mx.resolver.ts';
import { readRoutes } from '../src/exchange/static.routes.ts';
import { RouteService } from '../src/exchange/route.service.ts';

describe('where mail may go', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.stop());

  const register = (name: string, type: string, value: string | string[]) =>
    fetch(`${world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
  const client = () =>
    new DnsClient({
      servers: [{ address: world.dns.host, port: world.dns.port }],
      timeoutMs: 2_000,
      validates: false,
      concurrency: 10,
    });
  const routes = (OUTBOUND_ALLOW: 'loopback' | 'any', OUTBOUND_ROUTE = 'mx') =>
    new RouteService(
      { OUTBOUND_ALLOW, SMTP_PORT: 25, MX_CACHE_MS: 1_000, MX_CACHE_ENTRIES: 10 },
      readRoutes(OUTBOUND_ROUTE),
      new MxResolver(client(), 'us.example'),
      undefined,
      { policy: () => Promise.resolve(undefined) },
      createLog({ service: 'test', level: 'error' }),
    );

  it.each([
    ['A', '10.0.0.1'],
    ['A', '127.0.0.1'],
    ['A', '169.254.169.254'],
    ['AAAA', '::1'],
    ['AAAA', '::ffff:192.168.0.1'],
    ['AAAA', 'fd00:ec2::254'],
  ])('asks no exchanger at an address that is not public (%s %s)', async (type, value) => {
    await register('inside.test', 'MX', '10 mx.inside.test');
    for (const each of ['A', 'AAAA']) await register('mx.inside.test', each, each === type ? [value] : []);
    expect(await routes('any').find('inside.test')).toMatchObject({ refused: 'temporary', why: 'not-public' });
  });

  it('asks those that are, and they alone', async () => {
    await register('mixed.test', 'MX', ['10 in.mixed.test', '20 out.mixed.test']);
    await register('in.mixed.test', 'A', '192.168.0.1');
    await register('out.mixed.test', 'A', ['8.8.8.8', '127.0.0.1']);
    expect(await routes('any').find('mixed.test')).toEqual({
      exchangers: [{ host: 'out.mixed.test', address: '8.8.8.8', port: 25, demand: { kind: 'none' } }],
    });
  });

  it('goes to loopback alone until the operator lets mail leave', async () => {
    await register('out.test', 'A', '8.8.8.8');
    await register('out.test', 'MX', '10 out.test');
    expect(await routes('loopback').find('out.test')).toMatchObject({ refused: 'temporary', why: 'not-loopback' });
    const [exchanger] = ((await routes('loopback').find('world.example')) as { exchangers: object[] }).exchangers;
    expect(exchanger).toMatchObject({ host: 'mx.world.example', address: '127.0.0.1' });
  });

  it('goes where the operator routes it, also inside; but not while mail must not leave', async () => {
    const inside = { host: '10.0.0.1', address: '10.0.0.1', port: 2525, demand: { kind: 'none' }, relay: true };
    expect(await routes('any', 'smtp://10.0.0.1:2525').find('out.test')).toEqual({ exchangers: [inside] });
    expect(await routes('loopback', 'smtp://10.0.0.1:2525').find('out.test')).toMatchObject({ why: 'not-loopback' });
  });

  it('goes where a file of routes says, to addresses that are not public only where it says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-routes-'));
    const file = join(folder, 'routes.json');
    await register('mx.private.test', 'A', '10.1.1.1');
    await register('private.test', 'MX', '10 mx.private.test');
    writeFileSync(
      file,
      JSON.stringify([
        { match: 'refused.test', hosts: ['10.0.0.1'] },
        { match: 'allowed.test', hosts: ['10.0.0.1', '10.0.0.2:26'], allowPrivate: true, tls: 'verified' },
        { match: 'private.test', allowPrivate: true, tls: 'none' },
      ]),
    );
    const found = routes('any', file);
    rmSync(folder, { recursive: true });
    expect(await found.find('refused.test')).toMatchObject({ why: 'not-public' });
    expect(await found.find('allowed.test')).toMatchObject({
      exchangers: [
        { address: '10.0.0.1', port: 25, demand: { kind: 'proved', proof: { policy: 'own' } } },
        { address: '10.0.0.2', port: 26, demand: { kind: 'proved' } },
      ],
    });
    expect(await found.find('private.test')).toMatchObject({
      exchangers: [{ host: 'mx.private.test', address: '10.1.1.1', demand: { kind: 'clear' } }],
    });
    await register('out.test', 'A', '8.8.8.8');
    await register('out.test', 'MX', '10 out.test');
    expect(await found.find('out.test')).toMatchObject({
      exchangers: [{ address: '8.8.8.8', demand: { kind: 'none' } }],
    });
  });

  it.each(['[127.0.0.1]', '[IPv6:::1]', '8.8.8.8', '::1'])('takes no address for a domain (%s)', async (domain) => {
    const refusal = { refused: 'permanent', code: 550, why: 'address-literal' };
    expect(await routes('any').find(domain)).toMatchObject(refusal);
    expect(await routes('loopback').find(domain)).toMatchObject(refusal);
  });

  it('takes no address for the name of an exchanger', async () => {
    await register('numbers.test', 'MX', '10 8.8.8.8');
    expect(await routes('any').find('numbers.test')).toMatchObject({ refused: 'temporary', why: 'no-address' });
  });
});
