import type { World } from '../world/world.ts';
import { until } from '../stores/until.ts';
import { basic, createDemo, get, type Demo } from './demo.ts';
import type { SuitePlatform } from './suite-platform.ts';

/** A running platform that several suites use as its clients; plain data, so it can be handed to tests: `inject('platform')`. */
export interface SharedPlatform {
  readonly gateway: string;
  readonly operatorToken: string;
  readonly world: Omit<World, 'stop'>;
}

/** What one suite has of it: an account and a verified domain of its own. */
export interface PlatformClient {
  readonly platform: { readonly gateway: string; readonly secrets: { readonly operatorToken: string } };
  readonly world: Omit<World, 'stop'>;
  readonly demo: Demo;
}

interface DomainView {
  readonly domain: { readonly state: string };
  readonly sending_dns_records: readonly { record_type: string; name: string; value: string }[];
}

/** Domains are verified, as they are everywhere but in development. */
export const SHARED_SETTINGS: Readonly<Record<string, string>> = {
  DOMAIN_VERIFICATION: 'on',
  SPF_RECORD: 'v=spf1 ip4:192.0.2.1 -all',
  RETRY_DELAYS: '1s,1s,2s',
  RETRY_POLL_MS: '100',
};

export function sharedPlatform({ platform, world }: SuitePlatform): SharedPlatform {
  const { http, dns, smtp, domain } = world;
  return {
    gateway: platform.gateway,
    operatorToken: platform.secrets.operatorToken,
    world: { http, dns, smtp, domain },
  };
}

/** An account of the suite's own, and its domain `<suite>.example`, which may send. */
export async function joinPlatform(shared: SharedPlatform, suite: string): Promise<PlatformClient> {
  const { gateway, operatorToken, world } = shared;
  const demo = await createDemo(gateway, operatorToken, `${suite}.example`);
  const url = `${gateway}/v4/domains/${demo.domain}`;
  const view = (await (await get(url, demo.apiKey)).json()) as DomainView;
  for (const { record_type: type, name, value } of view.sending_dns_records) {
    await fetch(`${world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });
  }
  const active = async (): Promise<boolean> => {
    const response = await fetch(`${url}/verify`, { method: 'PUT', headers: { authorization: basic(demo.apiKey) } });
    return ((await response.json()) as DomainView).domain.state === 'active';
  };
  if (!(await until(active, 15_000, 500))) throw new Error(`domain ${demo.domain} was not verified within 15 s`);
  return { platform: { gateway, secrets: { operatorToken } }, world, demo };
}
