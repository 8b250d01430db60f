import { until } from '../stores/until.ts';

/** What `POST /v1/accounts` answered, and the domain made with it. */
export interface Demo {
  readonly accountId: string;
  readonly apiKey: string;
  readonly privacyKey: string;
  readonly domain: string;
}

export interface Login {
  /** As AUTH takes it. */
  readonly user: string;
  readonly password: string;
}

export const basic = (key: string): string => `Basic ${Buffer.from(`api:${key}`).toString('base64')}`;

/** Creates an account with its keys and one sending domain, through the gateway, as an operator and its customer would. */
export async function createDemo(gateway: string, operatorToken: string, domain: string): Promise<Demo> {
  const account = await post(`${gateway}/v1/accounts`, `Bearer ${operatorToken}`, { name: 'demo' });
  const { id } = account['account'] as { id: string };
  const apiKey = account['api_key'] as string;
  const privacyKey = account['privacy_key'] as string;
  // The key reaches the gateway's table over Kafka.
  const known = await until(async () => (await get(`${gateway}/v4/domains`, apiKey)).status === 200, 15_000);
  if (!known) throw new Error('the gateway did not learn the new API key within 15 s');
  await post(`${gateway}/v4/domains`, basic(apiKey), { name: domain });
  const active = async (): Promise<boolean> =>
    (await get(`${gateway}/v3/${domain}/events?limit=1`, apiKey)).status === 200;
  if (!(await until(active, 15_000))) throw new Error(`domain ${domain} was not known everywhere within 15 s`);
  return { accountId: id, apiKey, privacyKey, domain };
}

/** An SMTP login of the demo's domain, with a password made by accounts. */
export async function createLogin(gateway: string, { apiKey, domain }: Demo, name: string): Promise<Login> {
  const url = `${gateway}/v3/domains/${domain}/credentials`;
  const answer = await post(url, basic(apiKey), { login: `${name}@${domain}` });
  const [made] = Object.entries(answer['credentials'] as Record<string, string>);
  if (!made) throw new Error('accounts made no SMTP credentials');
  return { user: made[0], password: made[1] };
}

export function get(url: string, apiKey: string): Promise<Response> {
  return fetch(url, { headers: { authorization: basic(apiKey) }, signal: AbortSignal.timeout(10_000) });
}

/** A multipart form, as Mailgun's clients send it. */
export function form(fields: Readonly<Record<string, string | readonly string[]>>): FormData {
  const body = new FormData();
  for (const [name, values] of Object.entries(fields)) {
    for (const value of typeof values === 'string' ? [values] : values) body.append(name, value);
  }
  return body;
}

export function sendMessage(gateway: string, demo: Pick<Demo, 'apiKey' | 'domain'>, body: FormData): Promise<Response> {
  return fetch(`${gateway}/v3/${demo.domain}/messages`, {
    method: 'POST',
    headers: { authorization: basic(demo.apiKey) },
    body,
    signal: AbortSignal.timeout(60_000),
  });
}

async function post(
  url: string,
  authorization: string,
  fields: Record<string, string>,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(fields),
    signal: AbortSignal.timeout(15_000),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${String(answer['message'])}`);
  return answer;
}
