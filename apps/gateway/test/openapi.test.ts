import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(inject('stores'), { PUBLIC_REQUESTS: '10' });
  await whenOpen(setting.gateway);
});
afterAll(() => setting?.close());

const ask = (): Promise<Response> => fetch(`${setting.gateway}/openapi.json`);

describe('GET /openapi.json', () => {
  it('is not given in part: 503 while a service has never said what it serves', async () => {
    await setting.service.stop();
    const response = await ask();
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    await setting.service.start();
  });

  it('has what accounts serves, with the rights of the routing table, and what the gateway serves itself', async () => {
    const response = await ask();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { paths, servers } = await response.json();
    expect(servers).toEqual([{ url: 'https://mail.example.net' }]);
    expect(paths['/v4/domains'].post).toMatchObject({
      summary: 'Create a domain',
      security: [{ key: ['domains:write'] }, { session: ['domains:write'] }],
      requestBody: { content: { 'multipart/form-data': { schema: { required: ['name'] } } } },
    });
    expect(paths['/v1/accounts'].post.security).toEqual([{ operator: [] }, { session: ['operator'] }]);
    expect(paths['/openapi.json'].get.security).toEqual([]);
    // What only services ask each other for is no part of it, and nobody gets there.
    expect(Object.keys(paths).filter((path) => path.startsWith('/internal'))).toEqual([]);
    expect((await fetch(`${setting.gateway}/internal/openapi.json`)).status).toBe(404);
  });

  it('is limited by address', async () => {
    const statuses: number[] = [];
    for (let asked = 0; asked < 10; asked += 1) statuses.push((await ask()).status);
    expect(statuses.at(-1)).toBe(429);
  });
});
