import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  form,
  freePorts,
  longestGap,
  moments,
  mostAtOnce,
  mostWithin,
  sendMessage,
  Supervised,
  until,
  type SmtpMoment,
} from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arrivals, duplicates } from '../support/arrivals.ts';
import { startOwnPlatform, type OwnPlatform } from '../support/own-platform.ts';
import { idle } from '../support/pipeline.ts';

/** Two sites, each the exchanger of so many domains, whose mail is spread over all processes. */
const DOMAINS = 24;
const NARROW = { name: 'narrow', address: '127.0.0.21', takes: { sessions: 4 } };
const PACED = { name: 'paced', address: '127.0.0.22', takes: { sessions: 5, messagesPerSecond: 10 } };
const SITES = [NARROW, PACED];
const MESSAGES = { [NARROW.name]: 1_200, [PACED.name]: 360 };
const STALLED_MS = 10_000;

const dir = mkdtempSync(join(tmpdir(), 'lethe-shaping-'));
const domainOf = (site: string, n: number): string => `d${n % DOMAINS}.${site}.example`;
let own: OwnPlatform;
const more: Supervised[] = [];

beforeAll(async () => {
  const file = join(dir, 'shaping.json');
  writeFileSync(file, JSON.stringify(SITES.map(({ name, takes }) => ({ match: `mx.${name}.example`, ...takes }))));
  own = await startOwnPlatform('shaping', {
    settings: { SHAPING: file, RETRY_LEASE_MS: '6000' },
    world: { slowMs: 40, smtpAddresses: SITES.map(({ address }) => address) },
  });
  for (const { name, address } of SITES) {
    await dns(`mx.${name}.example`, 'A', address);
    for (let n = 0; n < DOMAINS; n += 1) await dns(domainOf(name, n), 'MX', `10 mx.${name}.example`);
  }
}, 180_000);
afterAll(async () => {
  await Promise.all(more.map((each) => each.stop()));
  await own?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const dns = (name: string, type: string, value: string): Promise<Response> =>
  fetch(`${own.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });

/** One more process of delivery, which says its own name to servers. */
async function another(name: string): Promise<Supervised> {
  const { command } = own.platform.services.delivery;
  const { port } = await freePorts('port');
  const joined = new Supervised(
    {
      ...command,
      name,
      env: { ...command.env, PORT: String(port), EHLO_NAME: `${name}.localhost` },
      logFile: join(own.platform.logDir, `${name}.log`),
      readyUrl: `http://127.0.0.1:${port}/health/ready`,
    },
    () => undefined,
    () => undefined,
  );
  more.push(joined);
  joined.start();
  await joined.ready(60_000);
  return joined;
}

/** In requests of forty recipients. Answers every recipient. */
async function sendAll(): Promise<string[]> {
  const all = SITES.flatMap(({ name }) =>
    Array.from({ length: MESSAGES[name] ?? 0 }, (_, n) => `slow+${n}@${domainOf(name, n)}`),
  );
  for (let at = 0; at < all.length; at += 40) {
    const to = all.slice(at, at + 40).join(', ');
    const fields = { from: `sender@${own.demo.domain}`, to, subject: 'To all', text: 'To all of you.' };
    const response = await sendMessage(own.platform.gateway, own.demo, form(fields));
    expect(response.status).toBe(200);
  }
  return all;
}

describe('what destinations take', () => {
  it(
    'holds over two processes, a third that joins and one that is killed, and nothing stalls',
    { timeout: 300_000 },
    async () => {
      const arrivals = new Arrivals(own.world);
      const second = await another('second');
      const to = await sendAll();
      const taken = async () => (await moments(own.world)).filter(({ what }) => what === 'taken').length;
      expect(await until(async () => (await taken()) > to.length / 5, 60_000, 100)).toBe(true);
      await another('third');
      expect(await until(async () => (await taken()) > to.length / 2, 90_000, 100)).toBe(true);
      second.kill9({ hold: true });
      await idle(own, 120_000);
      await arrivals.collect();

      const names = ['lethe', 'second', 'third'];
      const by = (name: string): number =>
        to.filter((each) => arrivals.copies(each).some(({ raw }) => raw.includes(`${name}.localhost`))).length;
      const { marked, unmarked } = duplicates(arrivals);
      const seen = Object.fromEntries(
        await Promise.all(SITES.map(async ({ name, address }) => [name, await moments(own.world, address)] as const)),
      ) as Record<string, SmtpMoment[]>;
      const of = (name: string): SmtpMoment[] => seen[name] ?? [];
      const spanOf = (name: string): number => ((of(name).at(-1)?.at ?? 0) - (of(name)[0]?.at ?? 0)) / 1_000;
      console.log(
        `${to.length} messages, by ${names.map((name) => `${name} ${by(name)}`).join(', ')}; ${marked} marked duplicates; ` +
          SITES.map(
            ({ name }) =>
              `${name}: ${mostAtOnce(of(name))} sessions at once, ${mostWithin(of(name), 'begun', 1_000)} begun and ` +
              `${mostWithin(of(name), 'taken', 1_000)} taken within a second, longest gap ${Math.round(longestGap(of(name), 'taken'))} ms, ` +
              `${of(name).filter(({ what }) => what === 'opened').length} sessions in ${spanOf(name).toFixed(1)} s`,
          ).join('; '),
      );
      expect(to.filter((each) => arrivals.copies(each).length === 0)).toEqual([]);
      expect(unmarked).toEqual([]);
      for (const name of names) expect(by(name)).toBeGreaterThan(to.length / 20);
      for (const { name, takes } of SITES) {
        expect(mostAtOnce(of(name))).toBeLessThanOrEqual(takes.sessions);
        expect(longestGap(of(name), 'taken')).toBeLessThan(STALLED_MS);
      }
      for (const what of ['begun', 'taken'] as const) {
        expect(mostWithin(of(PACED.name), what, 1_000)).toBeLessThanOrEqual(PACED.takes.messagesPerSecond);
      }
    },
  );
});
