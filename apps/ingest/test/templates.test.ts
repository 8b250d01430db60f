import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { form, until } from '@lethe/testing';
import Mailgun from 'mailgun.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EndedTemplatesWorker } from '../src/templates/ended.worker.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

type Json = Record<string, any>;
interface Answered {
  status: number;
  body: Json;
}

/** The client's package declares an enumeration and does not export it. */
const YES = 'yes' as never;
let around: Surroundings;
let made = 0;

beforeAll(async () => {
  around = await surroundings(inject('stores'), { TEMPLATES_MAX: '60' });
  await around.replica();
});
afterAll(() => around?.close());

async function call(method: string, path: string, body?: BodyInit, by?: 'stranger'): Promise<Answered> {
  const headers = body === undefined ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
  const init = body === undefined ? { method, headers } : { method, body };
  const response = await around.templates(path, init, by ? { by } : {});
  return { status: response.status, body: (await response.json()) as Json };
}
const get = (path: string): Promise<Answered> => call('GET', path);
const remove = (path: string): Promise<Answered> => call('DELETE', path);
const post = (path: string, fields: Record<string, string>): Promise<Answered> => call('POST', path, form(fields));
/** As the Go client sends it. */
const put = (path: string, fields: Record<string, string>): Promise<Answered> =>
  call('PUT', path, new URLSearchParams(fields));
async function newTemplate(fields: Record<string, string> = {}): Promise<string> {
  const name = `template-${(made += 1)}`;
  expect((await post('', { name, template: 'Hello {{name}}', ...fields })).status).toBe(200);
  return name;
}
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const ID = /^[0-9a-f-]{36}$/;

describe('a template', () => {
  it('is stored with a first version, shown, described and deleted', async () => {
    const version = {
      tag: 'initial',
      template: ' Hello {{name}} ',
      engine: 'handlebars',
      mjml: '',
      createdAt: expect.stringMatching(DATE),
      comment: 'The first',
      active: true,
      id: expect.stringMatching(ID),
      headers: { Subject: 'Welcome {{name}}' },
    };
    const template = {
      name: 'welcome.mail',
      description: 'For new ones',
      createdAt: expect.stringMatching(DATE),
      createdBy: 'me',
      id: expect.stringMatching(ID),
    };
    const fields = {
      name: 'Welcome.Mail',
      description: 'For new ones',
      createdBy: 'me',
      template: ' Hello {{name}} ',
      comment: 'The first',
      headers: '{"Subject":"Welcome {{name}}"}',
    };
    const stored = { message: 'template has been stored', template: { ...template, version } };
    expect(await post('', fields)).toEqual({ status: 200, body: stored });
    expect(await post('', fields)).toMatchObject({ status: 400, body: { message: expect.stringMatching(/'name'/) } });

    expect(await get('/welcome.mail')).toEqual({ status: 200, body: { template } });
    expect(await get('/WELCOME.mail?active=yes')).toEqual({
      status: 200,
      body: { template: { ...template, version } },
    });
    expect(await put('/welcome.mail', { description: 'For all' })).toEqual({
      status: 200,
      body: { message: 'template has been updated', template: { name: 'welcome.mail' } },
    });
    expect((await get('/welcome.mail')).body.template).toEqual({ ...template, description: 'For all' });
    expect(await remove('/welcome.mail')).toEqual({
      status: 200,
      body: { message: 'template has been deleted', template: { name: 'welcome.mail' } },
    });
    for (const answer of [
      await get('/welcome.mail'),
      await remove('/welcome.mail'),
      await get('/welcome.mail/versions'),
    ]) {
      expect(answer).toEqual({ status: 404, body: { message: 'Template not found' } });
    }
    expect(await post('', { name: 'welcome.mail' })).toMatchObject({ status: 200 });
    await remove('/welcome.mail');
  });

  it('is of its own account alone', async () => {
    const name = await newTemplate();
    expect(await call('GET', `/${name}`, undefined, 'stranger')).toMatchObject({ status: 404 });
    expect((await call('GET', '', undefined, 'stranger')).body['items']).toEqual([]);
    expect(await call('DELETE', '', undefined, 'stranger')).toMatchObject({ status: 200 });
    expect(await get(`/${name}`)).toMatchObject({ status: 200 });
  });

  it.each([
    ['no name', { template: 'x' }, /'name' parameter is missing/],
    ['an address for a name', { name: 'to ann@example.com' }, /'name' .*must not hold an e-mail address/],
    ['a name that ends a path', { name: 'a/b' }, /'name' .*must not hold/],
    ['a long name', { name: 'x'.repeat(129) }, /'name' .*at most 128/],
    ['an address for a tag', { name: 'x', template: 'x', tag: 'ann@example.com' }, /'tag' .*e-mail address/],
    ['half a template', { name: 'x', template: '{{#if a}}' }, /'template' .*cannot be read as Handlebars in line 1/],
    ['half a header', { name: 'x', template: 'x', headers: '{"Subject":"{{a"}' }, /'headers' .*Handlebars/],
    ['another header', { name: 'x', template: 'x', headers: '{"To":"a"}' }, /'headers' .*From, Subject and Reply-To/],
    ['another engine', { name: 'x', template: 'x', engine: 'go' }, /'engine' .*handlebars/],
    ['a large template', { name: 'x', template: 'x'.repeat(102_401) }, /'template' .*at most 102400 octets/],
  ])('is refused with %s', async (_name, fields, message) => {
    const answer = await post('', fields);
    expect(answer).toEqual({ status: 400, body: { message: expect.stringMatching(message) } });
    expect(JSON.stringify(answer.body)).not.toContain('ann@');
  });
});

describe('versions', () => {
  it('are stored, shown, changed, copied and deleted, and one of them is active', async () => {
    const name = await newTemplate();
    const path = `/${name}/versions`;
    const active = async (): Promise<string[]> =>
      ((await get(path)).body.template.versions as Json[])
        .filter((one) => one['active'])
        .map(({ tag }) => tag as string);
    const added = await post(path, { template: 'v2 {{name}}', tag: 'V2', comment: 'c' });
    expect(added).toMatchObject({
      status: 200,
      body: {
        message: 'new version of the template has been stored',
        template: { name, version: { tag: 'V2', template: 'v2 {{name}}', comment: 'c', active: false, headers: {} } },
      },
    });
    expect(await active()).toEqual(['initial']);
    expect(await post(path, { template: 'x', tag: 'v2' })).toMatchObject({ status: 400 });
    // As the Go client asks, and in another spelling of the tag.
    expect(await put(`${path}/v2`, { active: 'true', comment: 'd' })).toEqual({
      status: 200,
      body: { message: 'version has been updated', template: { name, version: { tag: 'V2' } } },
    });
    expect(await active()).toEqual(['V2']);
    expect((await get(`${path}/V2`)).body.template.version).toMatchObject({ comment: 'd', template: 'v2 {{name}}' });
    // What is active is so until another is.
    await put(`${path}/v2`, { active: 'no', template: 'v2 again' });
    expect((await get(`${path}/v2`)).body.template.version).toMatchObject({ active: true, template: 'v2 again' });
    expect(await call('PUT', `${path}/v2/copy/v3?comment=copied`)).toMatchObject({
      status: 200,
      body: { version: { tag: 'v3', template: 'v2 again', comment: 'copied', active: false } },
    });
    expect(await post(path, { template: 'v4', tag: 'v4', active: 'yes' })).toMatchObject({ status: 200 });
    expect(await active()).toEqual(['v4']);
    expect(await remove(`${path}/v4`)).toEqual({
      status: 200,
      body: { message: 'version has been deleted', template: { name, version: { tag: 'v4' } } },
    });
    // The newest of the others.
    expect(await active()).toEqual(['v3']);
    expect(await remove(`${path}/v4`)).toEqual({ status: 404, body: { message: 'Template version not found' } });
    for (const tag of ['initial', 'V2', 'v3']) expect(await remove(`${path}/${tag}`)).toMatchObject({ status: 200 });
    expect(await get(`/${name}?active=yes`)).toMatchObject({ status: 200, body: { template: { name } } });
    expect((await get(`/${name}?active=yes`)).body.template.version).toBeUndefined();
    // The first one is active, whatever it says.
    await post(path, { template: 'x', tag: 'x', active: 'no' });
    expect(await active()).toEqual(['x']);
  });

  it('are one active, however many are made so at once', async () => {
    const name = await newTemplate();
    const tags = Array.from({ length: 8 }, (_, n) => `t${n}`);
    await Promise.all(tags.map((tag) => post(`/${name}/versions`, { template: tag, tag, active: 'yes' })));
    const all = (await get(`/${name}/versions?limit=100`)).body.template.versions as Json[];
    expect(all).toHaveLength(9);
    expect(all.filter((one) => one['active'])).toHaveLength(1);
  });

  it('are forty at most', async () => {
    const name = await newTemplate();
    const answers = await Promise.all(
      Array.from({ length: 41 }, (_, n) => post(`/${name}/versions`, { template: 'x', tag: `v${n}` })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(39);
    expect(answers.filter(({ status }) => status === 400)[0]?.body).toEqual({
      message: 'a template has at most 40 versions',
    });
  });
});

describe('pages', () => {
  const names = (answer: Answered): string[] => (answer.body['items'] as Json[]).map(({ name }) => name as string);
  /** The query of a link, as clients follow it. */
  const follow = (link: string): Promise<Answered> => get(link.slice(link.indexOf('/templates') + '/templates'.length));

  it('lead forth and back through names in order, and end empty', async () => {
    await remove('');
    for (const name of ['b', 'd', 'a', 'c', 'e']) await post('', { name, template: 'x' });
    const first = await get('?limit=2');
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.body['paging']).toEqual({
      first: 'http://gateway.example/v3/sender.example/templates?page=first&limit=2',
      last: 'http://gateway.example/v3/sender.example/templates?page=last&limit=2',
      next: 'http://gateway.example/v3/sender.example/templates?page=next&p=b&limit=2',
      previous: 'http://gateway.example/v3/sender.example/templates?page=previous&p=a&limit=2',
    });
    // Its place is left where who stood there is gone.
    await remove('/b');
    const second = await follow(first.body['paging'].next);
    expect(names(second)).toEqual(['c', 'd']);
    const third = await follow(second.body['paging'].next);
    expect(names(third)).toEqual(['e']);
    const end = await follow(third.body['paging'].next);
    expect(names(end)).toEqual([]);
    expect(names(await follow(end.body['paging'].next))).toEqual([]);
    expect(names(await follow(end.body['paging'].previous))).toEqual(['d', 'e']);
    expect(names(await follow(third.body['paging'].previous))).toEqual(['c', 'd']);
    expect(names(await follow(first.body['paging'].previous))).toEqual([]);
    expect(names(await get('?page=last&limit=2'))).toEqual(['d', 'e']);
    const shown = await get('?limit=1&active=yes');
    expect(shown.body['items'][0].version).toMatchObject({ tag: 'initial', template: 'x' });
    expect((await follow(shown.body['paging'].next)).body['items'][0].version).toMatchObject({ template: 'x' });
    for (const bad of ['?limit=101', '?limit=x', '?page=other']) expect(await get(bad)).toMatchObject({ status: 400 });
  });

  it('are of versions, too', async () => {
    const name = await newTemplate();
    for (const tag of ['c', 'B', 'a']) await post(`/${name}/versions`, { template: 'x', tag });
    const { body } = await get(`/${name}/versions?limit=3`);
    const tags = (versions: Json[]): string[] => versions.map(({ tag }) => tag as string);
    expect(tags(body.template.versions as Json[])).toEqual(['a', 'B', 'c']);
    expect(body.template.versions[0].template).toBeUndefined();
    const next = await follow(body['paging'].next as string);
    expect(tags(next.body.template.versions as Json[])).toEqual(['initial']);
  });

  it('hold as many as a domain may have', async () => {
    await remove('');
    const answers = await Promise.all(Array.from({ length: 61 }, (_, n) => post('', { name: `many-${n}` })));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ body }) => body)).toEqual([
      { message: 'the domain has as many templates as it may: at most 60' },
    ]);
    expect(await remove('')).toEqual({ status: 200, body: { message: 'templates have been deleted' } });
    expect((await get('')).body['items']).toEqual([]);
  });
});

describe("Mailgun's own client", () => {
  let server: Server;
  let client: ReturnType<Mailgun['client']>;

  beforeAll(async () => {
    // As the gateway passes it on: with an identity in place of the key.
    server = createServer((request, reply) => {
      void (async () => {
        const path = (request.url ?? '').replace(`/v3/${around.domain.name}/templates`, '');
        const body = await buffer(request);
        const answer = await around.templates(path, {
          method: request.method as string,
          headers: { 'content-type': request.headers['content-type'] ?? '' },
          ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
        });
        reply.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new Mailgun(FormData).client({ username: 'api', key: 'key', url });
  });
  afterAll(() => server?.close());

  it('makes, lists, changes and deletes templates and versions', async () => {
    const { name: domain } = around.domain;
    const templates = client.domains.domainTemplates;
    const headers = { Subject: 'Hi {{name}}', 'Reply-To': 'help@sender.example' };
    const created = await templates.create(domain, {
      name: 'sdk',
      description: 'd',
      template: '<p>{{name}}</p>',
      tag: 'one',
      // An object, says its type; it takes text alone.
      headers: JSON.stringify(headers) as unknown as object,
    });
    expect(created).toMatchObject({ name: 'sdk', description: 'd', version: { tag: 'one', active: true, headers } });
    expect(created.createdAt).toBeInstanceOf(Date);
    expect(await templates.update(domain, 'sdk', { description: 'e' })).toMatchObject({ templateName: 'sdk' });
    expect(await templates.createVersion(domain, 'sdk', { template: 'two', tag: 'two', active: YES })).toMatchObject({
      template: { version: { tag: 'two', active: true } },
    });
    expect(
      await templates.updateVersion(domain, 'sdk', 'one', {
        comment: 'c',
        active: YES,
        headers: '{}' as unknown as object,
      }),
    ).toMatchObject({
      templateVersion: { tag: 'one' },
    });
    expect(await templates.getVersion(domain, 'sdk', 'one')).toMatchObject({ version: { comment: 'c', active: true } });
    expect(await templates.get(domain, 'sdk', { active: YES })).toMatchObject({
      description: 'e',
      version: { tag: 'one' },
    });
    const { template } = await templates.listVersions(domain, 'sdk', { limit: 1 });
    expect(template.versions).toMatchObject([{ tag: 'one' }]);
    const listed = await templates.list(domain, { limit: 1 });
    expect(listed.items).toMatchObject([{ name: 'sdk' }]);
    expect((await templates.list(domain, { page: listed.pages.next.page as '?x' })).items).toEqual([]);
    expect(await templates.destroyVersion(domain, 'sdk', 'two')).toMatchObject({ templateVersion: { tag: 'two' } });
    expect(await templates.destroy(domain, 'sdk')).toMatchObject({ templateName: 'sdk' });
    expect(await templates.destroyAll(domain)).toMatchObject({ status: 200 });
    await expect(templates.get(domain, 'sdk')).rejects.toMatchObject({ status: 404, details: 'Template not found' });
  });
});

describe('what is stored', () => {
  it('is sealed, all that was typed', async () => {
    const planted = ['Planted-Name', 'Planted-Tag', 'Planted text', 'Planted comment', 'Planted subject', 'Planted by'];
    await post('', {
      name: 'planted-name',
      description: 'Planted text',
      createdBy: 'Planted by',
      template: 'Planted text {{x}}',
      tag: 'Planted-Tag',
      comment: 'Planted comment',
      headers: '{"Subject":"Planted subject"}',
    });
    const { rows } = await around.database.query<{ row: string }>(
      `select t::text || v::text as row from template t join template_version v on v.template_id = t.id`,
    );
    const text = rows.map(({ row }) => row).join('\n');
    // The scan sees what is there: names in hexadecimal are not what it looks for.
    expect(text).toContain(around.accountId);
    for (const word of planted) {
      expect(text.toLowerCase()).not.toContain(word.toLowerCase());
      expect(text).not.toContain(Buffer.from(word).toString('hex'));
      expect(text).not.toContain(Buffer.from(word).toString('base64url').slice(0, 12));
    }
    expect((await get('/planted-name?active=yes')).body.template.version.template).toBe('Planted text {{x}}');
  });

  it('goes with its domain', async () => {
    const count = async (): Promise<number> => {
      const { rows } = await around.database.query<{ n: number }>(
        'select (select count(*) from template)::int + (select count(*) from template_version)::int as n',
      );
      return rows[0]?.n ?? -1;
    };
    const worker = around.apps[0]?.get(EndedTemplatesWorker);
    await newTemplate();
    await around.database.query(`update template set created_at = created_at - interval '6 minutes'`);
    await worker?.work();
    expect(await count()).toBeGreaterThan(0);
    await around.endDomain();
    expect(await until(async () => (await worker?.work(), (await count()) === 0), 20_000)).toBe(true);
    await around.publishDomain({});
  });
});
