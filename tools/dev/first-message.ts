import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createDemo, createLogin, form, get, sendMessage, until, type Demo, type Login } from '@lethe/testing';

const DOMAIN = 'demo.example';

/** The demo account and its SMTP login. */
export interface DemoAccount extends Demo {
  readonly login: Login;
}

/** Made once per data folder, its keys kept beside the data (mode 0600). */
export async function demoAccount(file: string, gateway: string, operatorToken: string): Promise<DemoAccount> {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Demo & Partial<DemoAccount>) : undefined;
  const demo: Demo & Partial<DemoAccount> = kept ?? (await createDemo(gateway, operatorToken, DOMAIN));
  if (demo.login) return { ...demo, login: demo.login };
  const made = { ...demo, login: await createLogin(gateway, demo, 'smtp') };
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

export interface Arrived {
  readonly id: string;
  /** The message as the SMTP world received it. */
  readonly raw: string;
  readonly events: readonly string[];
}

/** Sends a first message and waits until it has arrived in the SMTP world and its events are found. */
export async function firstMessage(
  gateway: string,
  world: string,
  demo: Demo,
  say: (line: string) => void,
): Promise<Arrived> {
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
  if (!response.ok || !answer.id) {
    throw new Error(`the first message was not accepted: ${response.status} ${answer.message}`);
  }
  const { id } = answer;
  say('the first message was accepted');

  let raw: string | undefined;
  const arrived = await until(async () => {
    const messages = (await (await fetch(`${world}/messages?to=ok%2Bfirst@world.example`)).json()) as { raw: string }[];
    raw = messages.map((one) => Buffer.from(one.raw, 'base64').toString('utf8')).find((text) => text.includes(id));
    return raw !== undefined;
  }, 60_000);
  if (!arrived || raw === undefined) {
    throw new Error('the first message did not arrive within a minute: see the log of delivery');
  }
  say('it has arrived');

  let events: string[] = [];
  const url = `${gateway}/v3/${demo.domain}/events?ascending=yes&message-id=${encodeURIComponent(id)}`;
  const found = await until(async () => {
    const page = (await (await get(url, demo.apiKey)).json()) as { items: { event: string; timestamp: number }[] };
    events = page.items.map(({ event, timestamp }) => `${new Date(timestamp * 1_000).toISOString()}  ${event}`);
    return events.length >= 2;
  }, 30_000);
  say(
    found ? 'its events are found' : `${events.length} of its 2 events were found within 30 s: see the log of events`,
  );
  return { id, raw, events };
}
