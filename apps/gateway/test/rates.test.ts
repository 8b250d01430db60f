import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { basic, startSetting, whenOpen } from './setting.ts';
import type { Setting } from './setting.ts';

/** Slow enough that nothing comes back while the test asks. */
const RATES = { RATE_BURST: '6', RATE_PER_SECOND: '1', RATE_ACCOUNT_BURST: '20', RATE_ACCOUNT_PER_SECOND: '1' };
let setting: Setting;

beforeAll(async () => {
  setting = await startSetting(inject('stores'), RATES);
  await whenOpen(setting.gateway);
});
afterAll(() => setting?.close());

const ask = (key: string): Promise<Response> =>
  fetch(`${setting.gateway}/v4/domains`, { headers: { authorization: basic(key) } });

/** An account with a number of keys that the gateway knows, none of them asked with before. */
async function customer(keys: number): Promise<string[]> {
  const operator = { authorization: `Bearer ${setting.operatorToken}` };
  const made = await fetch(`${setting.gateway}/v1/accounts`, { method: 'POST', headers: operator });
  const first = (await made.json()).api_key as string;
  // Unknown keys are counted nowhere: asked until it is known, it has one request less.
  expect(await until(async () => (await ask(first)).status === 200, 5_000, 20)).toBe(true);
  const secrets: string[] = [];
  for (let index = 0; index < keys; index += 1) {
    const body = new URLSearchParams({ role: 'admin' });
    const answer = await fetch(`${setting.gateway}/v1/keys`, {
      method: 'POST',
      headers: { authorization: basic(first) },
      body,
    });
    secrets.push((await answer.json()).secret as string);
  }
  for (const secret of secrets)
    expect(await until(async () => (await ask(secret)).status === 200, 5_000, 20)).toBe(true);
  return secrets;
}

const numbers = (response: Response): Record<string, { r: number; t: number }> =>
  Object.fromEntries(
    [...(response.headers.get('ratelimit') ?? '').matchAll(/"(\w+)";r=(\d+);t=(\d+)/g)].map(([, name = '', r, t]) => [
      name,
      { r: Number(r), t: Number(t) },
    ]),
  );

describe('requests of a key', () => {
  it('are counted in every answer, and refused with the time to wait once there are too many', async () => {
    const [key = '', other = ''] = await customer(2);
    const response = await ask(key);
    expect(response.headers.get('ratelimit-policy')).toBe('"key";q=6;w=6, "account";q=20;w=20');
    const { key: left } = numbers(response);
    expect(left?.r).toBeLessThanOrEqual(4);
    expect(left?.t).toBeGreaterThanOrEqual(2);
    let refused = response;
    for (let asked = 0; asked < 8 && refused.status === 200; asked += 1) refused = await ask(key);
    expect([refused.status, await refused.json()]).toEqual([429, { message: 'Too many requests' }]);
    expect(numbers(refused)).toEqual({ key: { r: 0, t: expect.any(Number) } });
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBe(1);
    const reset = Number(refused.headers.get('x-ratelimit-reset')) - Date.now() / 1_000;
    expect(reset).toBeGreaterThan(-1);
    expect(reset).toBeLessThan(3);
    expect((await ask(other)).status).toBe(200);
  });
});

describe('requests of an account', () => {
  it('are counted over all its keys, and another account is not held up', async () => {
    const [, neighbour = ''] = await customer(2);
    const keys = await customer(5);
    const statuses: number[] = [];
    let refused: Response | undefined;
    for (let round = 0; round < 4; round += 1) {
      for (const key of keys) {
        const response = await ask(key);
        statuses.push(response.status);
        if (numbers(response)['account']?.r === 0 && response.status === 429) refused = response;
      }
    }
    expect(statuses).toContain(200);
    expect(refused && numbers(refused)['key']?.r).toBeGreaterThan(0);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(neighbour)).status).toBe(200);
  });
});
