import { randomUUIDv7 } from 'node:crypto';
import type { Envelope, UnsubscribeLink } from '@lethe/contracts';
import { normalForm } from '@lethe/mail';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fenced, subjectOf } from './support/people.ts';
import { startSurroundings, type Domain, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;
let domain: Domain;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
  domain = await around.domain();
});
afterAll(() => around?.close());

/** As delivery writes it. */
async function linkTo(address: string, more: Partial<UnsubscribeLink> = {}) {
  const messageId = randomUUIDv7();
  const { account, domainId } = domain;
  const subject = await subjectOf(around, domain, address);
  const part: UnsubscribeLink = { address, domainId, messageIdHeader: `${messageId}@sender.example`, ...more };
  const seal = { account, subject, period: 'standing', type: 'unsubscribe-link', recordId: `${messageId}/3` } as const;
  const jwe = await around.vault.ingest.seal(seal, part);
  return { messageId, subject, link: jwe.replace('..', '.') };
}

const entry = async (address: string) => around.table.get(await around.keyOf(domain, normalForm(address)));
const soon = async (condition: () => Promise<boolean>) => expect(await until(condition, 10_000, 20)).toBe(true);

describe('the link to unsubscribe by', () => {
  it('only shows a page with a button when it is looked at, as scanners do', async () => {
    const { link } = await linkTo('looker@world.example');
    const page = await around.link('GET', link);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; form-action 'self'");
    expect(page.text).toContain('<form method="post"><button name="List-Unsubscribe" value="One-Click">');
    expect(page.text).toContain(domain.name);
    expect(page.text).not.toContain('looker');
    expect((await around.database.query('SELECT FROM suppression')).rowCount).toBe(0);
  });

  it.each(['application/x-www-form-urlencoded', 'multipart/form-data'])(
    'ends mail of the domain with one click, whatever the form (%s), and says so once',
    async (type) => {
      const address = `clicker-${type.length}@world.example`;
      const { link, messageId, subject } = await linkTo(address);
      for (let click = 0; click < 3; click += 1) expect((await around.link('POST', link, type)).status).toBe(200);
      await soon(async () => (await entry(address)) !== undefined);
      expect(await entry(address)).toMatchObject({ reasons: ['unsubscribe'] });
      const told = () => around.told.filter((event) => event.messageId === messageId);
      await soon(async () => told().length > 0);
      const [event, ...more] = told();
      expect(more).toEqual([]);
      expect(event).toMatchObject({
        type: 'unsubscribed',
        accountId: domain.account,
        domainId: domain.domainId,
        ordinal: 3,
        recipient: { subject },
      });
      expect(JSON.stringify(event)).not.toContain('world.example');
      const expected = { account: domain.account, type: 'envelope', recordId: `${messageId}/3` };
      expect(await around.vault.ingest.open<Envelope>(event?.recipient.envelope ?? '', expected)).toMatchObject({
        address,
        messageIdHeader: `${messageId}@sender.example`,
      });
    },
  );

  it('is nobody’s to make or change', async () => {
    const { link } = await linkTo('other@world.example');
    const [header = '', iv, ciphertext = '', tag] = link.split('.');
    const altered = `${ciphertext.startsWith('A') ? 'B' : 'A'}${ciphertext.slice(1)}`;
    const another = Buffer.from(
      Buffer.from(header, 'base64url')
        .toString()
        .replace(/"rid":"[^"]+"/, `"rid":"${randomUUIDv7()}/0"`),
    ).toString('base64url');
    const wrong = [
      'x',
      'a.b.c.d',
      link.slice(0, -1),
      [header, iv, altered, tag].join('.'),
      [another, iv, ciphertext, tag].join('.'),
    ];
    for (const one of wrong) {
      for (const method of ['GET', 'POST'] as const) expect((await around.link(method, one)).status, one).toBe(404);
    }
    const { account } = domain;
    const [subject, recordId] = [await subjectOf(around, domain, 'other@world.example'), `${randomUUIDv7()}/0`];
    const seal = { account, subject, period: 'standing', type: 'suppression', recordId } as const;
    const otherKind = await around.vault.ingest.seal(seal, {
      address: 'other@world.example',
      domainId: domain.domainId,
    });
    expect((await around.link('POST', otherKind.replace('..', '.'))).status).toBe(404);
    const strangers = await linkTo('other@world.example', { domainId: (await around.domain()).domainId });
    expect((await around.link('POST', strangers.link)).status).toBe(404);
    expect(await entry('other@world.example')).toBeUndefined();
  });

  it('leads nowhere once the domain is deleted', async () => {
    const ended = await around.domain(domain.account);
    const { link } = await linkTo('left@world.example', { domainId: ended.domainId });
    // The replicas take turns.
    const answers = async () =>
      (await Promise.all([around.link('GET', link), around.link('GET', link)])).map(({ status }) => status);
    expect(await answers()).toEqual([200, 200]);
    await around.endDomain(ended);
    await expect.poll(answers, { timeout: 30_000 }).toEqual([404, 404]);
    expect((await around.link('POST', link)).status).toBe(404);
    expect(around.table.get(await around.keyOf(ended, 'left@world.example'))).toBeUndefined();
  });

  it('leads nowhere once the person is erased', async () => {
    const { link } = await linkTo('gone@world.example');
    await fenced(around, domain, ['gone@world.example'], 'default');
    expect((await around.link('GET', link)).status).toBe(404);
    expect((await around.link('POST', link)).status).toBe(404);
    expect(await entry('gone@world.example')).toBeUndefined();
  });
});
