import { Database } from '@lethe/database';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MX_HOSTS, newAccount, SPF_RECORD, startSetting, TRACKING_HOST } from './setting.ts';
import type { Setting, Who } from './setting.ts';

let setting: Setting;
let ana: Who;

interface Shown {
  record_type: string;
  name: string;
  value: string;
  valid: string;
  is_active: boolean;
  cached: string[];
  priority?: string;
}
type View = { domain: { state: string }; sending_dns_records: Shown[]; receiving_dns_records: Shown[] };

const create = async (name: string): Promise<View> =>
  (await setting.call(ana, 'POST', '/v4/domains', new URLSearchParams({ name }))).body as View;
const verify = async (name: string, version = 'v4'): Promise<View> =>
  (await setting.call(ana, 'PUT', `/${version}/domains/${name}/verify`)).body as View;
/** Findings by kind of record: the DKIM key, SPF, the tracking CNAME, DMARC, both exchangers. */
const findings = ({ sending_dns_records: sending, receiving_dns_records: receiving }: View): string[] =>
  [...sending, ...receiving].map(({ valid }) => valid);

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  ana = await newAccount(setting);
  await setting.register('spf.lethe.example', 'TXT', 'v=spf1 ip4:192.0.2.1 -all');
});
afterAll(() => setting?.close());

describe('records a domain is to have in the DNS', () => {
  it('are shown in Mailgun’s shape, unknown until somebody looks', async () => {
    const { sending_dns_records: sending, receiving_dns_records: receiving } = await create('shown.example');
    const rest = { valid: 'unknown', is_active: false, cached: [] };
    expect(sending).toEqual([
      {
        record_type: 'TXT',
        name: 'lethe._domainkey.shown.example',
        value: expect.stringMatching(/^v=DKIM1; k=rsa; p=/),
        ...rest,
      },
      { record_type: 'TXT', name: 'shown.example', value: SPF_RECORD, ...rest },
      { record_type: 'CNAME', name: 'email.shown.example', value: TRACKING_HOST, ...rest },
      { record_type: 'TXT', name: '_dmarc.shown.example', value: 'v=DMARC1; p=none', ...rest },
    ]);
    expect(receiving).toEqual(
      MX_HOSTS.map((value) => ({ record_type: 'MX', name: 'shown.example', value, priority: '10', ...rest })),
    );
  });

  it('are invalid where they are missing, valid where they are right, and stay so in later views', async () => {
    const { sending_dns_records: records } = await create('whole.example');
    expect(findings(await verify('whole.example'))).toEqual(Array(6).fill('invalid'));
    await setting.register('lethe._domainkey.whole.example', 'TXT', 'another record', records[0]?.value ?? '');
    await setting.register('whole.example', 'TXT', 'site=1', 'v=spf1 include:other.example -all');
    await setting.register(
      'other.example',
      'TXT',
      `v=spf1 ${'ip4:198.51.100.1 '.repeat(20)} redirect=us.other.example`,
    );
    await setting.register('us.other.example', 'TXT', 'v=spf1 include:SPF.lethe.example. ?all');
    await setting.register('email.whole.example', 'CNAME', 'Track.Lethe.example');
    await setting.register('_dmarc.whole.example', 'TXT', 'v=DMARC1; p=reject; rua=mailto:reports@whole.example');
    await setting.register('whole.example', 'MX', '5 MXA.lethe.example', '20 backup.example');
    const found = ['valid', 'valid', 'valid', 'valid', 'valid', 'invalid'];
    const view = await verify('whole.example', 'v3');
    expect(findings(view)).toEqual(found);
    expect(view.domain.state).toBe('active');
    const later = (await setting.call(ana, 'GET', '/v3/domains/whole.example')).body as View;
    expect(findings(later)).toEqual(found);
    // What others publish can name people: it is shown nowhere and kept nowhere.
    expect(JSON.stringify(later)).not.toContain('reports@');
  });

  it('do not make a domain active without its DKIM key', async () => {
    await create('keyless.example');
    await setting.register('keyless.example', 'TXT', SPF_RECORD);
    const view = await verify('keyless.example');
    expect(findings(view).slice(0, 2)).toEqual(['invalid', 'valid']);
    expect(view.domain.state).toBe('unverified');
  });

  it('are unknown where the DNS does not answer, which turns no domain off', async () => {
    const { sending_dns_records: records } = await create('mail.servfail.example');
    await setting.register('lethe._domainkey.mail.servfail.example', 'TXT', records[0]?.value ?? '');
    const first = await verify('mail.servfail.example');
    expect(first.domain.state).toBe('active');
    expect(findings(first)).toEqual(['valid', ...Array(5).fill('unknown')]);
    await create('silent.servfail.example');
    const { pool } = setting.app.get(Database);
    await pool.query(`UPDATE domain SET state = 'active' WHERE name = 'silent.servfail.example'`);
    const silent = await verify('silent.servfail.example');
    expect(findings(silent)).toEqual(Array(6).fill('unknown'));
    expect(silent.domain.state).toBe('active');
  });
});
