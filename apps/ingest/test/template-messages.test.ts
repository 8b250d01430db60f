import { hashPassword } from '@lethe/service';
import { viewMail, type MailView } from '@lethe/mail';
import { form, SmtpClient } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Submission } from '../src/accept/submission.ts';
import { SmtpListener } from '../src/smtp/smtp.listener.ts';
import { ProgramCache } from '../src/templates/render/program.cache.ts';
import { acceptedBy } from './support/obstacles.ts';
import { somebody } from './support/plant.ts';
import { smtpSettings } from './support/smtp.settings.ts';
import { surroundings, type Fields, type Surroundings } from './support/surroundings.ts';

const PASSWORD = 'correct horse battery';
const smtp = smtpSettings();
let around: Surroundings;
let submissions: Submission[];
let cache: ProgramCache;
let tlsPort: number;

beforeAll(async () => {
  around = await surroundings(inject('stores'), {
    ...smtp.settings,
    TEMPLATE_RENDERED_MAX_BYTES: '100000',
    TEMPLATE_MAX_STEPS: '5000',
    TEMPLATES_CACHED_BYTES: '60000',
  });
  const login = await around.smtpCredential('bob', await hashPassword(PASSWORD));
  await around.publishDomain({ smtpCredentials: [login] });
  const app = await around.replica();
  cache = app.get(ProgramCache);
  tlsPort = (app.get(SmtpListener).ports as [number, number])[1];
  submissions = acceptedBy(app);
  await store({ name: 'welcome', template: '<p>Hello <b>{{name}}</b>, {{#each items}}{{this}};{{/each}}</p>' });
  await version('welcome', { tag: 'second', template: '<p>Second, {{name}}</p>' });
  await store({
    name: 'with-headers',
    template: '<p>%recipient.name%</p>',
    headers: JSON.stringify({
      From: 'Team of {{team}} <team@sender.example>',
      Subject: 'For {{team}} & you',
      'Reply-To': '{{answer}}@sender.example',
    }),
  });
  await store({ name: 'bare' }, false);
});
afterAll(async () => {
  await around?.close();
  smtp.remove();
});

async function store(fields: Record<string, string>, withVersion = true): Promise<void> {
  const response = await around.templates('', { method: 'POST', body: form(fields) });
  expect([response.status, withVersion]).toEqual([200, fields['template'] !== undefined]);
}
async function version(name: string, fields: Record<string, string>): Promise<void> {
  const response = await around.templates(`/${name}/versions`, { method: 'POST', body: form(fields) });
  expect(response.status).toBe(200);
}
const last = (): Submission => submissions.at(-1) as Submission;
const shown = (): MailView => viewMail(last().raw);
const headerOf = (name: string): string | undefined =>
  shown().headers.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];
/** As the SDKs send it: `text` may be empty. */
async function sent(fields: Fields): Promise<Submission> {
  expect(await around.send({ to: somebody(), text: '', ...fields })).toMatchObject({
    status: 200,
    message: 'Queued. Thank you.',
  });
  return last();
}
const refused = async (fields: Fields): Promise<string> => {
  const before = submissions.length;
  const answer = await around.send({ to: somebody(), text: '', ...fields });
  expect(answer.status).toBe(400);
  expect(submissions).toHaveLength(before);
  return answer.message;
};

describe('a message of a template', () => {
  it('is rendered from its variables', async () => {
    await sent({ template: 'Welcome', 't:variables': '{"name":"Ann <x>","items":[1,"two"]}' });
    expect(shown().html.trim()).toBe('<p>Hello <b>Ann &lt;x&gt;</b>, 1;two;</p>');
    expect(shown().plain).toBe('');
    expect(last().variables).toEqual({});
  });

  it('says of which version, to its sender alone', async () => {
    await sent({ template: 'Welcome', 't:variables': '{"name":"Ann","items":[1]}', 't:version': 'initial' });
    const variables = { name: 'Ann', items: [1] };
    expect(last().template).toEqual({ name: 'welcome', version: 'initial', variables });
    expect(last().raw.toString()).not.toContain('X-Mailgun-Template');
    const { rows } = await around.database.query<{ id: string }>('select id from message order by id desc limit 1');
    const stored = (await (await around.stored(rows[0]?.id ?? '')).json()) as Record<string, unknown>;
    expect(stored['X-Mailgun-Template-Name']).toBe('welcome');
    expect(JSON.parse(String(stored['X-Mailgun-Template-Variables']))).toEqual(variables);
  });

  it('is that of the version asked for, and of the active one otherwise', async () => {
    await sent({ template: 'welcome', 't:version': 'SECOND', 't:variables': '{"name":"Ann"}' });
    expect(shown().html.trim()).toBe('<p>Second, Ann</p>');
    await sent({ template: 'welcome' });
    expect(shown().html.trim()).toBe('<p>Hello <b></b>, </p>');
  });

  it('has its variables where the clients put them', async () => {
    await sent({
      template: 'welcome',
      'v:name': 'from v',
      'v:items': '["v"]',
      'h:X-Mailgun-Variables': '{"name":"from h"}',
    });
    expect(shown().html.trim()).toBe('<p>Hello <b>from h</b>, v;</p>');
    // What is the message's own stays so, and nothing of it is in the mail.
    expect(last().variables).toEqual({ name: 'from v', items: ['v'] });
    expect(headerOf('X-Mailgun-Variables')).toBeUndefined();
    await sent({ template: 'welcome', 'v:name': 'from v', 't:variables': '{"name":"from t"}' });
    expect(shown().html).toContain('from t');
  });

  it('has a text where one is asked for, or given', async () => {
    await sent({ template: 'welcome', 't:text': 'yes', 't:variables': '{"name":"Ann"}' });
    expect(shown().plain.trim()).toBe('Hello Ann,');
    await sent({ template: 'welcome', 't:text': 'yes', text: 'Mine' });
    expect(shown().plain.trim()).toBe('Mine');
  });

  it('has what the template stores of headers where it has none itself', async () => {
    const variables = { 't:variables': '{"team":"Ärzte","answer":"help"}' };
    await sent({ template: 'with-headers', from: '', subject: '', ...variables });
    expect(headerOf('From')).toBe('Team of Ärzte <team@sender.example>');
    expect(headerOf('Subject')).toBe('For Ärzte & you');
    expect(headerOf('Reply-To')).toBe('help@sender.example');
    expect(last().related.map(({ role, address }) => [role, address])).toEqual([
      ['from', 'team@sender.example'],
      ['reply-to', 'help@sender.example'],
    ]);
    // It stays for whoever fills in what is each recipient's own.
    expect(shown().html).toContain('%recipient.name%');
    await sent({
      template: 'with-headers',
      from: 'me@sender.example',
      subject: 'Mine',
      'h:Reply-To': 'other@sender.example',
      ...variables,
    });
    expect([headerOf('From'), headerOf('Subject'), headerOf('Reply-To')]).toEqual([
      'me@sender.example',
      'Mine',
      'other@sender.example',
    ]);
  });

  it('renders what was stored last', async () => {
    await store({ name: 'changing', template: 'one' });
    await sent({ template: 'changing' });
    await around.templates('/changing/versions/initial', { method: 'PUT', body: form({ template: 'two' }) });
    await sent({ template: 'changing' });
    expect(shown().html.trim()).toBe('two');
    await version('changing', { template: 'three', tag: 'v3', active: 'yes' });
    await sent({ template: 'changing' });
    expect(shown().html.trim()).toBe('three');
    await around.templates('/changing', { method: 'DELETE' });
    expect(await refused({ template: 'changing' })).toMatch(/no template of this name/);
  });

  it('is the same request again where its template has changed meanwhile', async () => {
    await store({ name: 'repeated', template: 'one' });
    const fields = { to: somebody(), text: '', template: 'repeated' };
    const again = () => around.send(fields, 0, { 'idempotency-key': 'of a template' });
    const first = await again();
    await around.templates('/repeated/versions/initial', { method: 'PUT', body: form({ template: 'two' }) });
    expect(await again()).toEqual(first);
    expect(first.status).toBe(200);
  });

  it.each([
    ['an unknown template', { template: 'other' }, /'template' .*the domain has no template of this name/],
    ['an unknown version', { template: 'welcome', 't:version': 'other' }, /'t:version' .*no version of this tag/],
    ['a template without a version', { template: 'bare' }, /'template' .*it has no version yet/],
    ['variables that are none', { template: 'welcome', 't:variables': '[1]' }, /'t:variables' .*JSON object/],
    ['half an object', { template: 'welcome', 't:variables': '{"a":' }, /'t:variables' .*JSON object/],
    ['deep values', { template: 'welcome', 't:variables': `{"a":${'['.repeat(60)}${']'.repeat(60)}}` }, /too deep/],
    ['another content', { template: 'welcome', html: '<p>x</p>' }, /'html' .*beside 'template'/],
    ['an unknown option', { template: 'welcome', 't:other': 'x' }, /'t:other' is not a known option/],
    ['variables of no template', { 't:variables': '{}', text: 'x' }, /'t:variables' needs a 'template'/],
    ['many options', { template: 'welcome', 't:variables': `{"a":"${'x'.repeat(17_000)}"}` }, /options .* larger than/],
    [
      'a header that breaks',
      { template: 'with-headers', subject: '', 't:variables': '{"team":"a\\nX-A: b"}' },
      /'subject'/,
    ],
    ['a From that is none', { template: 'with-headers', from: '', 't:variables': '{"team":"<"}' }, /'from'/],
  ])('is refused with %s', async (_name, fields, message) => {
    expect(await refused(fields as unknown as Fields)).toMatch(message);
  });
});

describe('a template that is made to harm', () => {
  const render = (name: string, variables: object): Promise<string> =>
    refused({ template: name, 't:variables': JSON.stringify(variables) });

  it('takes no more steps than a message may', async () => {
    await store({
      name: 'loops',
      template: '{{#each a}}{{#each @root.a}}{{#each @root.a}}x{{/each}}{{/each}}{{/each}}',
    });
    expect(await render('loops', { a: Array.from({ length: 200 }, () => 1) })).toBe(
      "'template' parameter is not valid: it takes more than 5000 steps with these variables",
    );
  });

  it('becomes no larger than a message may', async () => {
    await store({ name: 'large', template: '{{a}}'.repeat(300) });
    const larger = "'template' parameter is not valid: it becomes larger than 100000 octets with these variables";
    expect(await render('large', { a: 'x'.repeat(1_000) })).toBe(larger);
    // Its octets count, not its characters.
    expect(await render('large', { a: 'ä'.repeat(200) })).toBe(larger);
    await sent({ template: 'large', 't:variables': JSON.stringify({ a: 'x'.repeat(300) }) });
  });

  it('reaches nothing but its variables', async () => {
    await store({
      name: 'reaching',
      template: '[{{constructor}}{{a.constructor.name}}{{__proto__}}{{lookup a "toString"}}]',
    });
    await sent({ template: 'reaching', 't:variables': '{"a":{}}' });
    expect(shown().html.trim()).toBe('[]');
  });
});

describe('templates in memory', () => {
  it('are bounded, and gone with the trust in their keys', async () => {
    for (let n = 0; n < 5; n += 1) {
      await store({ name: `cached-${n}`, template: `${n}${'x'.repeat(8_000)}` });
      await sent({ template: `cached-${n}` });
      expect(cache.weight).toBeLessThanOrEqual(60_000);
    }
    expect(cache.size).toBeGreaterThan(0);
    // Nobody hears of what the vault does meanwhile.
    await around.deafened(async () => undefined);
    expect(cache.size).toBe(0);
    await sent({ template: 'cached-0' });
    expect(cache.size).toBe(1);
  });
});

describe('a raw message of a template', () => {
  const raw = [
    'From: App <app@sender.example>',
    'To: someone@world.example',
    'X-Own: kept',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Former text',
    '--b',
    'Content-Type: image/png; name="p.png"',
    'Content-ID: <pic@app>',
    'Content-Transfer-Encoding: base64',
    '',
    'AAEC',
    '--b',
    'Content-Type: application/pdf; name="a.pdf"',
    'Content-Disposition: attachment; filename="a.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    'AwQF',
    '--b--',
    '',
  ].join('\r\n');

  const expectRendered = (): void => {
    expect(shown().html.trim()).toBe('<p>Hello <b>Ann</b>, </p>');
    expect(shown().plain.trim()).toBe('Hello Ann,');
    expect(headerOf('X-Own')).toBe('kept');
    expect(headerOf('From')).toBe('App <app@sender.example>');
    expect(shown().headers.filter(([name]) => /^x-mailgun-/i.test(name))).toEqual([]);
    expect(
      shown().attachments.map(({ filename, contentType, contentId, content }) => [
        filename,
        contentType,
        contentId,
        content().toString('hex'),
      ]),
    ).toEqual([
      ['p.png', 'image/png', 'pic@app', '000102'],
      ['a.pdf', 'application/pdf', '', '030405'],
    ]);
  };

  it('keeps its header and what is attached, by HTTP', async () => {
    const fields = { template: 'welcome', 't:text': 'yes', 't:variables': '{"name":"Ann"}' };
    expect(await around.sendMime({ to: somebody(), message: raw, ...fields })).toMatchObject({ status: 200 });
    expectRendered();
  });

  it('has what the template stores of headers where it has none itself', async () => {
    const fields = { template: 'with-headers', 't:variables': '{"team":"Ärzte","answer":"help"}' };
    expect(await around.sendMime({ to: somebody(), message: raw, ...fields })).toMatchObject({ status: 200 });
    expect([headerOf('From'), headerOf('Subject'), headerOf('Reply-To')]).toEqual([
      'App <app@sender.example>',
      'For Ärzte & you',
      'help@sender.example',
    ]);
  });

  it('is the same by SMTP', async () => {
    const client = await SmtpClient.signedIn(tlsPort, 'bob@sender.example', PASSWORD);
    const handIn = async (...headers: string[]): Promise<{ code: number; text: string }> => {
      expect(await client.envelope('app@sender.example', somebody())).toMatchObject({ code: 354 });
      return client.data(`${headers.join('\r\n')}\r\n${raw}`);
    };
    const named = 'X-Mailgun-Template-Name: welcome';
    expect(await handIn(named, 'X-Mailgun-Template-Variables: {"name": "Ann"}')).toMatchObject({ code: 250 });
    expect(shown().html.trim()).toBe('<p>Hello <b>Ann</b>, </p>');
    expect(shown().plain).toBe('');
    expect(
      await handIn(named, 'X-Mailgun-Template-Version: second', 'X-Mailgun-Variables: {"name": "Ann"}'),
    ).toMatchObject({
      code: 250,
    });
    expect(shown().html.trim()).toBe('<p>Second, Ann</p>');
    const unknown = await handIn('X-Mailgun-Template-Name: other');
    expect(unknown.code).toBe(554);
    expect(unknown.text).toContain("'X-Mailgun-Template-Name'");
    client.end();
  });
});
