import { randomUUID } from 'node:crypto';
import { Clock, IdentitySigner, type Claims, type CreatedService } from '@lethe/service';
import type { Surroundings } from './surroundings.ts';

export interface Answer {
  status: number;
  body: any;
}

/** Calls a delivery that listens, as the gateway passes a request on: for the domain's account, or as `claims` say. */
export async function call(
  around: Surroundings,
  { app }: CreatedService,
  [method, path]: readonly [method: string, path: string],
  { body, ...claims }: Partial<Claims> & { body?: Record<string, string> } = {},
): Promise<Answer> {
  const { accountId: account, domainId: domain } = around.domain;
  const signer = new IdentitySigner(around.identityKey, new Clock());
  const token = await signer.sign('delivery', { account, domain, scopes: [], keyId: randomUUID(), ...claims });
  const response = await fetch(`${await app.getUrl()}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: new URLSearchParams(body) }),
  });
  return { status: response.status, body: await response.json() };
}

export const OPERATOR = { account: 'operator', scopes: ['operator'], keyId: 'operator' };
