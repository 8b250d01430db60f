import { createDemo, form, get, sendMessage, until, type Demo } from '@lethe/testing';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The demo account: made once per data folder, its keys kept beside the data (mode 0600). */
export async function demoAccount(file: string, gateway: string, operatorToken: string, domain: string): Promise<Demo> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Demo;
  const demo = await createDemo(gateway, operatorToken, domain);
  writeFileSync(file, JSON.stringify(demo), { mode: 0o600 });
  return demo;
}

export interface Arrived {
  readonly id: string;
  readonly headers: string;
  readonly events: readonly string[];
}

/** Sends a first message and waits until it has arrived in the SMTP world and its events are found. */
export async function firstMessage(gateway: string, world: string, demo: Demo): Promise<Arrived> {
  const response = await sendMessage(
    gateway,
    demo,
    form({
      from: `Lethe <hello@${demo.domain}>`,
      to: 'ok+first@world.example',
      subject: 'The first message',
      text: 'It arrived, and it will be forgotten on time.',
    }),
  );
  const answer = (await response.json()) as { id?: string; message: string };
  if (!response.ok || !answer.id)
    throw new Error(`the first message was not accepted: ${response.status} ${answer.message}`);
  const id = answer.id;

  let headers = '';
  const arrived = await until(async () => {
    const messages = (await (await fetch(`${world}/messages?to=ok%2Bfirst@world.example`)).json()) as { raw: string }[];
    const texts = messages.map(({ raw }) => Buffer.from(raw, 'base64').toString('utf8'));
    headers = texts.find((text) => text.includes(id))?.split('\r\n\r\n')[0] ?? '';
    return headers !== '';
  }, 30_000);
  if (!arrived) throw new Error('the first message did not arrive within 30 s: see the logs of delivery');

  let events: string[] = [];
  const url = `${gateway}/v3/${demo.domain}/events?ascending=yes&message-id=${encodeURIComponent(id)}`;
  await until(async () => {
    const page = (await (await get(url, demo.apiKey)).json()) as { items: { event: string; timestamp: number }[] };
    events = page.items.map(({ event, timestamp }) => `${new Date(timestamp * 1_000).toISOString()}  ${event}`);
    return events.length >= 2;
  }, 15_000);
  return { id, headers, events };
}

/** A line that works when pasted into a shell. */
export function curlLine(gateway: string, { apiKey, domain }: Demo): string {
  return [
    `curl -s --user 'api:${apiKey}' ${gateway}/v3/${domain}/messages`,
    `-F from='you@${domain}' -F to='ok@world.example' -F subject='Hello' -F text='Hello, Lethe'`,
  ].join(' \\\n    ');
}
