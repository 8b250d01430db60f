import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailAccepted, MailEvent } from '@lethe/contracts';
import type { CreatedService } from '@lethe/service';
import {
  certificateAuthority,
  policyHost,
  recordingExchanger,
  until,
  type CertificateAndKey,
  type PolicyHost,
  type RecordingExchanger,
} from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { send } from './support/mail.ts';
import { watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const trusted = certificateAuthority('An authority that is trusted');
const stranger = certificateAuthority('An authority that is not');

/** What an exchanger may show, by name. */
const SHOWN = {
  'in another name': () => trusted.issue(['mx.elsewhere.test']),
  expired: (host: string) => trusted.issue([host], { from: -20, until: -10 }),
  'from an unknown authority': (host: string) => stranger.issue([host]),
} as const;
const WRONG = ['in another name', 'expired', 'from an unknown authority'] as const;

describe('sessions that have to be secured', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;
  let policies: PolicyHost;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-secured-'));
  const open: RecordingExchanger[] = [];
  let hosts = 0;

  beforeAll(async () => {
    const file = join(folder, 'ca.pem');
    writeFileSync(file, trusted.certificate);
    policies = await policyHost(stranger.issue(['nobody.test']));
    around = await surroundings(inject('stores'), {
      DNS_VALIDATES: 'yes',
      TRUSTED_CA_FILE: file,
      MTA_STS_PORT: String(policies.port),
      MTA_STS_TIMEOUT_MS: '2000',
      // One attempt tells.
      RETRY_DELAYS: '1h',
    });
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await policies?.close();
    await around?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = async (path: string, what: object): Promise<void> => {
    const response = await fetch(`${around.world.http}${path}`, { method: 'PUT', body: JSON.stringify(what) });
    expect(response.status).toBe(200);
  };
  const dns = (name: string, type: string, value: string | string[]) => put('/dns', { name, type, value });
  const sign = (name: string) => put('/dns/signed', { name, signed: true });

  /** An exchanger at an address of its own, and its name in DNS. */
  async function exchanger(host: string): Promise<RecordingExchanger> {
    hosts += 1;
    const address = `127.0.9.${hosts}`;
    const running = await recordingExchanger(address, around.world.smtp.port);
    open.push(running);
    await dns(host, 'A', address);
    return running;
  }

  /** A domain with one exchanger that shows this. */
  async function domainWith(name: string, shown: CertificateAndKey | undefined, ...chain: string[]) {
    const domain = `${name.replaceAll(/[^a-z0-9]+/g, '-')}.test`;
    const host = `mx.${domain}`;
    const running = await exchanger(host);
    running.show(shown, ...chain);
    await dns(domain, 'MX', `10 ${host}`);
    return { domain, host, running };
  }

  /** TLSA data out of a certificate. */
  const tlsa = (parameters: string, { certificate }: Pick<CertificateAndKey, 'certificate'>): string => {
    const x509 = new X509Certificate(certificate);
    const whole = parameters[2] === '0' ? x509.raw : x509.publicKey.export({ type: 'spki', format: 'der' });
    return `${parameters} ${createHash('sha256').update(whole).digest('hex')}`;
  };
  const publishTlsa = (host: string, value: string | string[]) =>
    dns(`_${around.world.smtp.port}._tcp.${host}`, 'TLSA', value);

  async function attempt(domain: string, record: Partial<MailAccepted> = {}): Promise<MailEvent> {
    const { messageId } = await send(around, { to: [`someone@${domain}`], record });
    const find = () => events.of(messageId).find(({ type }) => type === 'delivered' || type === 'failed');
    expect(await until(() => find() !== undefined, 40_000, 20)).toBe(true);
    return find() as MailEvent;
  }
  const DELIVERED = (verified: boolean) => ({
    type: 'delivered',
    deliveryStatus: { code: 250, tls: true, certificateVerified: verified },
  });
  const DEFERRED = (enhancedCode: string) => ({
    type: 'failed',
    severity: 'temporary',
    deliveryStatus: { code: 498, enhancedCode, tls: false, certificateVerified: false },
  });
  const said = ({ lines }: RecordingExchanger, word: string) => lines.filter((line) => line.includes(word));
  /** It was spoken to, up to the handshake, and nothing of the message was said. */
  const brokeOff = ({ lines }: RecordingExchanger) => expect(lines).toEqual(['EHLO out.lethe.example', 'STARTTLS']);
  const tookOverTls = (running: RecordingExchanger) => {
    expect(said(running, 'MAIL FROM')).toEqual([expect.stringMatching(/^tls /)]);
    expect(said(running, 'Subject:')).toEqual(['tls Subject: A test']);
  };

  describe('DANE (RFC 7672)', () => {
    it('an end entity of the right key: delivered, whatever its certificate says', async () => {
      const odd = stranger.issue(['mx.elsewhere.test'], { from: -20, until: -10 });
      const { domain, host, running } = await domainWith('dane-ee', odd);
      await sign(domain);
      await publishTlsa(host, tlsa('3 1 1', odd));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      tookOverTls(running);
      expect(running.names).toEqual([host]);
    });

    it('a key that has changed: deferred, and delivered once DNS has the new one', async () => {
      const { domain, host, running } = await domainWith('dane-rotated', stranger.issue(['mx.dane-rotated.test']));
      await sign(domain);
      await publishTlsa(host, tlsa('3 1 1', trusted.issue([host])));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
      const renewed = trusted.issue([host]);
      running.show(renewed);
      await publishTlsa(host, [tlsa('3 1 1', trusted.issue([host])), tlsa('3 1 1', renewed)]);
      expect(await until(async () => (await attempt(domain)).type === 'delivered', 15_000, 200)).toBe(true);
    });

    it('a trust anchor: delivered', async () => {
      const { domain, host, running } = await domainWith(
        'dane-ta',
        stranger.issue(['mx.dane-ta.test']),
        stranger.certificate,
      );
      await sign(domain);
      await publishTlsa(host, tlsa('2 0 1', stranger));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      tookOverTls(running);
    });

    it.each(['in another name', 'expired'] as const)('a trust anchor, the certificate %s: deferred', async (how) => {
      const name = `dane-ta-${how.replaceAll(' ', '-')}`;
      const { domain, host, running } = await domainWith(name, SHOWN[how](`mx.${name}.test`), trusted.certificate);
      await sign(domain);
      await publishTlsa(host, tlsa('2 0 1', trusted));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
    });

    it('another anchor: deferred, although the authority is trusted otherwise', async () => {
      const { domain, host, running } = await domainWith(
        'dane-other',
        trusted.issue(['mx.dane-other.test']),
        trusted.certificate,
      );
      await sign(domain);
      await publishTlsa(host, tlsa('2 0 1', stranger));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
    });

    it('no TLSA records: delivered as to anybody', async () => {
      const { domain, running } = await domainWith('dane-none', stranger.issue(['mx.dane-none.test']));
      await sign(domain);
      expect(await attempt(domain)).toMatchObject(DELIVERED(false));
      tookOverTls(running);
    });

    it.each(['dane-unsigned', 'dane-mx-unsigned'])(
      'records that nobody signed count for nothing (%s)',
      async (name) => {
        const { domain, host, running } = await domainWith(name, stranger.issue([`mx.${name}.test`]));
        if (name === 'dane-mx-unsigned') await sign(host);
        await publishTlsa(host, tlsa('3 1 1', trusted));
        expect(await attempt(domain)).toMatchObject(DELIVERED(false));
        tookOverTls(running);
      },
    );

    it('records that cannot be used: over TLS or not at all', async () => {
      const { domain, host, running } = await domainWith('dane-unusable', stranger.issue(['mx.dane-unusable.test']));
      await sign(domain);
      await publishTlsa(host, [tlsa('1 1 1', trusted), '3 1 9 aabb']);
      expect(await attempt(domain)).toMatchObject(DELIVERED(false));
      tookOverTls(running);
      const clear = await domainWith('dane-unusable-clear', undefined);
      await sign(clear.domain);
      await publishTlsa(clear.host, tlsa('1 1 1', trusted));
      expect(await attempt(clear.domain)).toMatchObject(DEFERRED('4.7.10'));
      expect(clear.running.lines).toEqual(['EHLO out.lethe.example']);
    });

    it('no STARTTLS where there are records: deferred', async () => {
      const { domain, host, running } = await domainWith('dane-clear', undefined);
      await sign(domain);
      await publishTlsa(host, tlsa('3 1 1', trusted));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.10'));
      expect(running.lines).toEqual(['EHLO out.lethe.example']);
    });

    it('records that cannot be looked up: deferred, and not a word is said', async () => {
      const { domain, host, running } = await domainWith('dane-bogus', trusted.issue(['mx.dane-bogus.test']));
      await sign(domain);
      await publishTlsa(host, 'SERVFAIL');
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      expect(running.lines).toEqual([]);
    });

    it('the next exchanger is asked where the first does not prove to be it', async () => {
      const { domain, host, running } = await domainWith('dane-two', stranger.issue(['mx.dane-two.test']));
      const second = await exchanger(`mx2.${domain}`);
      const own = stranger.issue([`mx2.${domain}`]);
      second.show(own);
      await dns(domain, 'MX', [`10 ${host}`, `20 mx2.${domain}`]);
      await sign(domain);
      await publishTlsa(host, tlsa('3 1 1', trusted));
      await publishTlsa(`mx2.${domain}`, tlsa('3 1 1', own));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      brokeOff(running);
      tookOverTls(second);
    });

    it('an alias: its own records or those of where it leads, and that name is asked for', async () => {
      const { domain, running } = await domainWith('dane-alias', stranger.issue(['whatever.test']));
      await dns(domain, 'MX', `10 alias.${domain}`);
      await dns(`alias.${domain}`, 'CNAME', `mx.${domain}`);
      await sign(domain);
      const own = stranger.issue(['whatever.test']);
      running.show(own);
      await publishTlsa(`mx.${domain}`, tlsa('3 1 1', own));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      expect(running.names).toEqual([`mx.${domain}`]);
    });
  });

  describe('MTA-STS (RFC 8461)', () => {
    const policy = (mode: string, mx: string, more = '') => ({
      body: `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: 86400\r\n${more}`,
    });
    /** Publishes a policy: the record in DNS, and what is to be fetched, from a host with the right certificate. */
    async function publish(domain: string, answer: Parameters<PolicyHost['answers']>[0], id = '1'): Promise<void> {
      policies.shows(trusted.issue([`mta-sts.${domain}`]));
      policies.answers(answer);
      await dns(`_mta-sts.${domain}`, 'TXT', `v=STSv1; id=${id};`);
    }
    const rows = async (domain: string) =>
      (await around.database.query<{ mode: string }>('select * from sts_policy where domain = $1', [domain])).rows;

    it('the right certificate: delivered', async () => {
      const { domain, host, running } = await domainWith('sts-right', trusted.issue(['mx.sts-right.test']));
      await publish(domain, policy('enforce', host));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      tookOverTls(running);
      expect(running.names).toEqual([host]);
      expect(policies.requests.at(-1)).toBe(`GET mta-sts.${domain} /.well-known/mta-sts.txt`);
    });

    it.each(WRONG)('a certificate %s: deferred, and nothing is said', async (how) => {
      const { domain, host, running } = await domainWith(`sts-${how}`, undefined);
      running.show(SHOWN[how](host));
      await publish(domain, policy('enforce', `*.${domain}`));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
    });

    it('no STARTTLS: deferred', async () => {
      const { domain, host, running } = await domainWith('sts-clear', undefined);
      await publish(domain, policy('enforce', host));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.10'));
      expect(running.lines).toEqual(['EHLO out.lethe.example']);
    });

    it('an exchanger that the policy does not name: deferred, and not asked', async () => {
      const { domain, host, running } = await domainWith('sts-not-named', trusted.issue(['mx.sts-not-named.test']));
      await publish(domain, policy('enforce', `other.${host}`));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      expect(running.lines).toEqual([]);
    });

    it.each(['testing', 'none'])('in mode %s: delivered, whatever is wrong', async (mode) => {
      const { domain, running } = await domainWith(`sts-${mode}`, stranger.issue(['mx.elsewhere.test']));
      await publish(domain, policy(mode, 'other.test'));
      expect(await attempt(domain)).toMatchObject(DELIVERED(false));
      tookOverTls(running);
    });

    it.each([
      ['missing', { status: 404, body: '' }],
      [
        'elsewhere',
        { status: 301, headers: { location: 'https://127.0.0.1/' }, body: policy('enforce', 'x.test').body },
      ],
      ['not text', { headers: { 'content-type': 'text/html' }, body: policy('enforce', 'x.test').body }],
      ['no policy', { body: 'version: STSv2' }],
      ['too large', policy('enforce', 'x.test', 'x: y\r\n'.repeat(12_000))],
    ])('a policy that is %s: delivered as to anybody', async (what, answer) => {
      const { domain, running } = await domainWith(`sts-policy-${what}`, stranger.issue(['mx.elsewhere.test']));
      await publish(domain, answer);
      const before = policies.requests.length;
      expect(await attempt(domain)).toMatchObject(DELIVERED(false));
      tookOverTls(running);
      expect(policies.requests).toHaveLength(before + 1);
      expect(await rows(domain)).toEqual([]);
    });

    it.each(WRONG)('a policy host whose certificate is %s: nothing is believed', async (how) => {
      const { domain, running } = await domainWith(`sts-host-${how}`, stranger.issue(['mx.elsewhere.test']));
      await publish(domain, policy('enforce', 'x.test'));
      policies.shows(SHOWN[how](`mta-sts.${domain}`));
      const before = policies.requests.length;
      expect(await attempt(domain)).toMatchObject(DELIVERED(false));
      tookOverTls(running);
      expect(policies.requests).toHaveLength(before);
    });

    it('a policy that was got once holds over a start, whatever has become of DNS and its host', async () => {
      const { domain, host, running } = await domainWith('sts-kept', trusted.issue(['mx.sts-kept.test']));
      await publish(domain, policy('enforce', host));
      expect(await attempt(domain)).toMatchObject(DELIVERED(true));
      expect(await rows(domain)).toMatchObject([{ mode: 'enforce', policy_id: '1', mx: [host] }]);
      await dns(`_mta-sts.${domain}`, 'TXT', []);
      policies.answers({ status: 404, body: '' });
      running.show(stranger.issue([host]));
      await service.app.close();
      service = await startDelivery(around.environment);
      running.lines.length = 0;
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
    });

    it('a new policy takes the place of the old one', async () => {
      const { domain, host } = await domainWith('sts-changed', stranger.issue(['mx.sts-changed.test']));
      await publish(domain, policy('enforce', host));
      expect(await attempt(domain)).toMatchObject(DEFERRED('4.7.5'));
      await publish(domain, policy('none', host), '2');
      expect(await until(async () => (await attempt(domain)).type === 'delivered', 15_000, 200)).toBe(true);
      expect(await rows(domain)).toMatchObject([{ mode: 'none', policy_id: '2' }]);
    });

    it('DANE comes first: it is not made good by a policy, and needs none', async () => {
      const wrong = await domainWith('both-wrong', trusted.issue(['mx.both-wrong.test']));
      await sign(wrong.domain);
      await publishTlsa(wrong.host, tlsa('3 1 1', stranger));
      await publish(wrong.domain, policy('enforce', wrong.host));
      expect(await attempt(wrong.domain)).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(wrong.running);
      const own = stranger.issue(['mx.elsewhere.test']);
      const right = await domainWith('both-right', own);
      await sign(right.domain);
      await publishTlsa(right.host, tlsa('3 1 1', own));
      await publish(right.domain, policy('enforce', 'other.test'));
      expect(await attempt(right.domain)).toMatchObject(DELIVERED(true));
    });
  });

  describe('what the sender asks for', () => {
    it('o:require-tls asks for a certificate in the exchanger’s name, unless o:skip-verification', async () => {
      const { domain, running } = await domainWith('own', stranger.issue(['mx.own.test']));
      expect(await attempt(domain, { requireTls: true })).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
      running.lines.length = 0;
      expect(await attempt(domain, { requireTls: true, skipVerification: true })).toMatchObject(DELIVERED(false));
      tookOverTls(running);
      running.show(trusted.issue(['mx.own.test']));
      expect(await attempt(domain, { requireTls: true })).toMatchObject(DELIVERED(true));
    });

    it('o:skip-verification takes back nothing that the recipient’s domain asks for', async () => {
      const { domain, host, running } = await domainWith('own-dane', stranger.issue(['mx.own-dane.test']));
      await sign(domain);
      await publishTlsa(host, tlsa('3 1 1', trusted));
      expect(await attempt(domain, { requireTls: true, skipVerification: true })).toMatchObject(DEFERRED('4.7.5'));
      brokeOff(running);
    });
  });
});
