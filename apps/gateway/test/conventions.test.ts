import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basic, echo, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

const FORM = 'application/x-www-form-urlencoded';
let setting: Setting;
let authorization: string;

beforeAll(async () => {
  setting = await startSetting(inject('stores'));
  await whenOpen(setting.gateway);
  const operator = { authorization: `Bearer ${setting.operatorToken}` };
  const made = await fetch(`${setting.gateway}/v1/accounts`, { method: 'POST', headers: operator });
  authorization = basic((await made.json()).api_key);
  const body = new URLSearchParams({ name: 'rules.example' });
  const known = async () => {
    await call('POST', '/v4/domains', { body });
    return (await call('GET', '/v3/rules.example/events')).status === 200;
  };
  if (!(await until(known, 10_000))) throw new Error('the domain is not known');
});
afterAll(() => setting?.close());
beforeEach(() => {
  setting.service.answer = echo;
  setting.service.seen.length = 0;
});

const call = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${setting.gateway}${path}`, {
    method,
    ...init,
    headers: { authorization, ...(init.headers as Record<string, string>) },
  });

/** As it is written: fetch would encode the path, and leave a length of 0 out. */
async function exactly(method: string, path: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(setting.gateway);
  const sent = request({ hostname, port, method, path, headers: { authorization, ...headers } }).end();
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    sent.once('error', reject).once('response', (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(body) }), reject);
    });
  });
}

describe('what is not there', () => {
  it.each([
    ['GET', '/v3/ip_pools'],
    ['GET', '/v1/thresholds/alerts/send'],
    ['GET', '/v5/users'],
    ['POST', '/v3/rules.example/nothing'],
    ['GET', '/v4/domains/rules.example/nothing'],
  ])('%s %s: 404 as JSON', async (method, path) => {
    const response = await call(method, path);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not found' }]);
  });

  it.each([
    ['PATCH', '/v3/rules.example/messages', 'POST'],
    ['DELETE', '/v3/rules.example/events', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
    // Said by the service: the gateway leads everything below /v4/domains there.
    ['POST', '/v4/domains/rules.example/verify', 'PUT'],
  ])('%s %s: 405 as JSON, and %s is allowed', async (method, path, allowed) => {
    const response = await call(method, path);
    expect([response.status, await response.json()]).toEqual([405, { message: 'Method not allowed' }]);
    expect(response.headers.get('allow')).toBe(allowed);
  });

  it('is CORS: no other origin is let in, nor told what it might send', async () => {
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' };
    for (const response of [
      await call('GET', '/v4/domains', { headers }),
      await call('OPTIONS', '/v4/domains', { headers }),
    ]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect((await call('OPTIONS', '/v4/domains', { headers })).status).toBe(405);
  });
});

describe('what a browser makes of an answer', () => {
  it.each([
    ['of a service', '/v4/domains', 200],
    ['of the gateway', '/health', 200],
    ['of nobody', '/nothing', 404],
    ['of the document', '/openapi.json', 200],
  ])('%s: data, and nothing runs in it', async (_, path, status) => {
    const response = await call('GET', path);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'; sandbox");
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('unless a service says more precisely', async () => {
    setting.service.answer = (_, response) =>
      response
        .writeHead(200, { 'content-security-policy': "default-src 'self'", 'content-type': 'text/html' })
        .end('x');
    const response = await call('GET', '/v3/rules.example/events');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'self'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the page of the document', () => {
  it('loads from here alone, and all that it names is there', async () => {
    const response = await fetch(`${setting.gateway}/docs`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    const html = await response.text();
    expect(html).not.toMatch(/https?:|<script>|<style|style=|\son\w+=/);
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(named).toHaveLength(4);
    for (const file of named) {
      const answer = await fetch(new URL(file, `${setting.gateway}/docs`));
      expect([file, answer.status]).toEqual([file, 200]);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(50);
    }
  });

  it('sends its large file once', async () => {
    const url = `${setting.gateway}/docs/swagger-ui-bundle.js`;
    const first = await fetch(url);
    expect(first.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const bundle = createHash('sha256').update(Buffer.from(await first.arrayBuffer()));
    expect(bundle.digest('hex')).toMatch(/^[0-9a-f]{64}$/);
    const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it.each(['package.json', 'index.js', '..%2Fpackage.json', 'constructor'])('has no file %s', async (file) => {
    expect((await exactly('GET', `/docs/${file}`)).status).toBe(404);
  });
});

describe('how clients write', () => {
  it.each([
    ['PUT', '/v4/domains/rules.example/verify', 200],
    ['PUT', '/v3/domains/rules.example/connection', 200],
    ['PUT', '/v3/domains/rules.example/tracking/open', 200],
    ['DELETE', '/v3/domains/rules.example/credentials', 200],
    ['GET', '/v4/domains', 200],
  ])('%s %s without a body, whatever form it names', async (method, path, status) => {
    for (const type of [FORM, `${FORM}; charset=utf-8`, 'multipart/form-data', 'multipart/form-data; boundary=x']) {
      for (const length of [{}, { 'content-length': '0' }]) {
        const answer = await exactly(method, path, { 'content-type': type, ...length });
        expect([type, length, answer.status, answer.body]).toEqual([type, length, status, expect.any(Object)]);
      }
    }
  });

  it.each([
    ['without a boundary', 'multipart/form-data', '--x\r\n'],
    [
      'that ends too early',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nru',
    ],
  ])('refuses a form %s, and blames nobody else', async (_, type, body) => {
    const response = await call('POST', '/v4/domains', { headers: { 'content-type': type }, body });
    const message = 'the form cannot be read: check boundary and encoding';
    expect([response.status, await response.json()]).toEqual([400, { message }]);
  });

  it('says what is missing, where a body is needed', async () => {
    for (const type of [FORM, 'multipart/form-data; boundary=x']) {
      const answer = await exactly('POST', '/v4/domains', { 'content-type': type });
      expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(/^name: /) } });
    }
  });

  it.each(['a+b@rules.example', 'a%2Bb%40rules.example', 'a%2bb@rules.example', 'A+b%40RULES.example'])(
    'the login %s in a path is a+b@rules.example',
    async (written) => {
      const body = new URLSearchParams({ login: 'a+b', password: 'long-enough-to-be-good' });
      expect((await call('POST', '/v3/domains/rules.example/credentials', { body })).status).toBe(200);
      const answer = await exactly('DELETE', `/v3/domains/rules.example/credentials/${written}`);
      expect(answer).toEqual({
        status: 200,
        body: { message: 'Credentials have been deleted', spec: 'a+b@rules.example' },
      });
    },
  );

  it('an address in a path goes on as it was written, and a domain is known in every spelling', async () => {
    for (const address of ['a+b@c.example', 'a%2Bb%40c.example', 'a%20b']) {
      for (const domain of ['rules.example', 'RULES.example', 'rules%2Eexample']) {
        expect((await exactly('GET', `/v3/${domain}/bounces/${address}`)).status).toBe(200);
        expect(setting.service.seen.at(-1)?.url).toBe(`/v3/${domain}/bounces/${address}`);
      }
    }
  });

  it('links lead to the public base, whatever host was named', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' };
    const { body } = await exactly('GET', '/v1/dkim/keys', headers);
    expect(Object.values(body['paging'] as object)).toHaveLength(4);
    for (const link of Object.values(body['paging'] as Record<string, string>)) {
      expect(link).toMatch(/^https:\/\/mail\.example\.net\/v1\/dkim\/keys\?/);
    }
  });
});

it('lists sending addresses so that no client falls over them', async () => {
  const response = await call('GET', '/v3/ips?dedicated=false');
  expect([response.status, await response.json()]).toEqual([200, { items: [], total_count: 0, details: [] }]);
});
