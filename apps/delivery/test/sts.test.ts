import { Database, migrateDatabase } from '@lethe/database';
import { certificateAuthority, createDatabase, policyHost, startWorld } from '@lethe/testing';
import { createSecureContext } from 'node:tls';
import type { PolicyHost, SuiteDatabase, World } from '@lethe/testing';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { MIGRATIONS } from '../src/deferred/migrations/migrations.ts';
import { isLoopback, isPublic } from '../src/dns/address.guard.ts';
import { DnsClient } from '../src/dns/dns.client.ts';
import { MxResolver } from '../src/dns/mx.resolver.ts';
import { StsFetcher } from '../src/sts/sts.fetcher.ts';
import { StsRepository } from '../src/sts/sts.repository.ts';
import { StsService } from '../src/sts/sts.service.ts';

const DOMAIN = 'kept.test';
const MX = ['mx.kept.test'];

describe('policies that are kept', () => {
  let own: SuiteDatabase;
  let pool: Pool;
  let world: World;
  let host: PolicyHost;
  let kept: StsRepository;
  let sts: StsService;
  let fetcher: (allowed: (address: string) => boolean) => StsFetcher;

  beforeAll(async () => {
    own = await createDatabase(inject('stores'), 'delivery', `sts${process.pid}`);
    await migrateDatabase(own.url, MIGRATIONS);
    pool = new Pool({ connectionString: own.url, max: 2 });
    // All it uses of TypeORM is its pool.
    kept = new StsRepository({ pool } as unknown as Database);
    world = await startWorld();
    const authority = certificateAuthority('An authority');
    host = await policyHost(authority.issue([`mta-sts.${DOMAIN}`]));
    const dns = new DnsClient({
      servers: [{ address: world.dns.host, port: world.dns.port }],
      timeoutMs: 1_000,
      validates: false,
      concurrency: 10,
    });
    fetcher = (allowed) =>
      new StsFetcher(new MxResolver(dns, 'us.test'), {
        port: host.port,
        timeoutMs: 2_000,
        trust: createSecureContext({ ca: authority.certificate }),
        allowed,
      });
    sts = new StsService(dns, fetcher(isLoopback), kept);
  });
  afterEach(() => pool.query('delete from sts_policy'));
  afterAll(async () => {
    await pool?.end();
    await host?.close();
    await world?.stop();
    await own?.drop();
  });

  const announce = async (id: string | undefined, mode = 'enforce'): Promise<void> => {
    const value = id === undefined ? [] : [`v=STSv1; id=${id}`];
    await fetch(`${world.http}/dns`, {
      method: 'PUT',
      body: JSON.stringify({ name: `_mta-sts.${DOMAIN}`, type: 'TXT', value }),
    });
    host.answers({ body: `version: STSv1\nmode: ${mode}\nmx: ${MX.join('\nmx: ')}\nmax_age: 1000\n` });
  };
  const keep = (domain = DOMAIN, maxAgeSeconds = 1_000) =>
    kept.keep(domain, '1', { mode: 'enforce', mx: MX, maxAgeSeconds });
  /** Lets time pass for all that is kept. */
  const age = (interval: string) =>
    pool.query(
      `update sts_policy set fetched_at = fetched_at - $1::interval, expires_at = expires_at - $1::interval,
         checked_at = checked_at - $1::interval, used_at = used_at - $1::interval`,
      [interval],
    );

  it('hold until they expire, whatever DNS says', async () => {
    await announce(undefined);
    await keep();
    await age('999 s');
    expect(await sts.policy(DOMAIN)).toMatchObject({ mode: 'enforce', mx: MX });
    await age('1 s');
    expect(await sts.policy(DOMAIN)).toBeUndefined();
  });

  it('are not fetched while DNS names the same, until half of their time is over', async () => {
    await announce('1', 'testing');
    await keep();
    await age('499 s');
    const before = host.requests.length;
    expect(await sts.policy(DOMAIN)).toMatchObject({ mode: 'enforce' });
    expect(host.requests).toHaveLength(before);
    await age('2 s');
    expect(await sts.policy(DOMAIN)).toMatchObject({ mode: 'testing' });
    expect(await sts.policy(DOMAIN)).toMatchObject({ mode: 'testing' });
    expect(host.requests).toHaveLength(before + 1);
  });

  it('are due when half of their time or a day is over, once for all who ask', async () => {
    await keep();
    await keep('long.test', 10_000_000);
    expect(await kept.due(86_400_000, 10)).toEqual([]);
    await age('501 s');
    expect(await kept.due(86_400_000, 10)).toEqual([DOMAIN]);
    expect(await kept.due(86_400_000, 10)).toEqual([]);
    await age('86000 s');
    expect(await kept.due(86_400_000, 10)).toEqual(['long.test']);
  });

  it('are refreshed, which does not count as mail', async () => {
    await announce('2', 'testing');
    await keep();
    await age('600 s');
    await sts.refresh(DOMAIN);
    const { rows } = await pool.query(
      "select mode, policy_id, used_at < now() - interval '500 s' as old from sts_policy",
    );
    expect(rows).toEqual([{ mode: 'testing', policy_id: '2', old: true }]);
  });

  it('are not fetched from an address that we may not connect to', async () => {
    await announce('4');
    const before = host.requests.length;
    await expect(fetcher(isPublic).fetch(DOMAIN)).rejects.toMatchObject({ fault: 'sts-policy-fetch-error' });
    expect(host.requests).toHaveLength(before);
    expect(await fetcher(isLoopback).fetch(DOMAIN)).toMatchObject({ mx: MX });
  });

  it('that cannot be fetched leave the old one, and are left alone for a while', async () => {
    await announce('3');
    await keep();
    host.answers({ status: 500, body: '' });
    const before = host.requests.length;
    for (let time = 0; time < 3; time += 1) expect(await sts.policy(DOMAIN)).toMatchObject({ mode: 'enforce' });
    expect(host.requests).toHaveLength(before + 1);
  });

  it('go when they expire, or when no mail went there for 30 days; mail of this day counts', async () => {
    await keep('expired.test', 10);
    await keep('unused.test', 31_000_000);
    await keep('used.test', 31_000_000);
    await age('20 days');
    expect(await kept.use('used.test')).toBeDefined();
    await age('11 days');
    await kept.removeOver(10);
    expect((await pool.query('select domain from sts_policy')).rows).toEqual([{ domain: 'used.test' }]);
  });

  it('are bounded: the longest unused go', async () => {
    await keep('old.test');
    await age('100 s');
    await keep('new.test');
    await kept.removeOver(1);
    expect((await pool.query('select domain from sts_policy')).rows).toEqual([{ domain: 'new.test' }]);
  });
});
