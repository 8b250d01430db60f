import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  form,
  get,
  isRunning,
  processIdentity,
  sendMessage,
  signal,
  until,
  type ProcessIdentity,
} from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeRow, NpmStart, type RunningJson } from '../support/npm-start.ts';
import { bash, differs, readmeExamples } from '../support/readme.ts';

const SERVICES = ['gateway', 'accounts', 'ingest', 'delivery', 'events', 'suppression', 'privacy'];
const STORES = ['kafka', 'elasticsearch', 'postgres', 'vault'];

const NULL_UNTIL_SERVED = {
  gateway: null,
  apiKey: null,
  privacyKey: null,
  operatorToken: null,
  domain: null,
  submission: null,
  inbound: null,
  kafka: null,
  elasticsearch: null,
  world: null,
  data: [],
  logs: [],
};

const folder = mkdtempSync(join(tmpdir(), 'lethe-start-'));
const data = join(folder, 'data');
let port: number;
/** The start that uses `data` at this moment. */
let start: NpmStart;

beforeAll(async () => {
  port = await freeRow();
});
afterAll(async () => {
  start?.signalGroup('SIGINT');
  await start?.ended().catch(() => start.signalGroup('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
});

async function eventNames(running: RunningJson, recipient: string, count: number): Promise<string[]> {
  let names: string[] = [];
  await until(async () => {
    const query = new URLSearchParams({ recipient, ascending: 'yes' }).toString();
    const page = await get(`${running.gateway}/v3/${running.domain}/events?${query}`, running.apiKey ?? '');
    names = ((await page.json()) as { items: { event: string }[] }).items.map(({ event }) => event);
    return names.length >= count;
  }, 30_000);
  return names;
}

async function received(running: RunningJson, to: string): Promise<number> {
  const messages = await fetch(`${running.world?.http}/messages?to=${encodeURIComponent(to)}`);
  return ((await messages.json()) as unknown[]).length;
}

/** The stores' processes, noted as they are started. */
function begun(): ProcessIdentity[] {
  return JSON.parse(readFileSync(join(data, 'stores/processes.json'), 'utf8')) as ProcessIdentity[];
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Sends until it is accepted: a process that is coming back may still refuse. */
async function deliver(running: RunningJson, to: string): Promise<void> {
  const { gateway, apiKey, domain } = running;
  const accepted = async (): Promise<boolean> => {
    const fields = form({ from: `a@${domain}`, to, subject: 's', text: 't' });
    return (await sendMessage(gateway ?? '', { apiKey: apiKey ?? '', domain: domain ?? '' }, fields)).ok;
  };
  expect(await until(accepted, 60_000, 200)).toBe(true);
  expect(await until(async () => (await received(running, to)) > 0, 60_000)).toBe(true);
}

const pasted = (output: string): string => /^ {4}(curl [^\n]+\/messages \\\n[^\n]+)$/m.exec(output)?.[1] ?? '';

describe('npm start', { timeout: 300_000 }, () => {
  it('keeps running.json from before the services start', async () => {
    start = new NpmStart(data, port, ['--with', 'log.flush.interval.messages=1', '--with', 'RETRY_POLL_MS=123']);
    expect(await until(() => existsSync(start.file), 60_000, 10)).toBe(true);
    expect(start.mode).toBe('600');
    expect(start.running).toEqual({ ...NULL_UNTIL_SERVED, pids: { start: expect.any(Number) as number } });
    await start.says('ready; Ctrl-C');
    const { running } = start;
    expect(start.mode).toBe('600');
    expect(running).toMatchObject({
      gateway: `http://127.0.0.1:${port}`,
      apiKey: expect.stringMatching(/^key-/) as string,
      privacyKey: expect.any(String) as string,
      operatorToken: expect.any(String) as string,
      domain: 'demo.example',
      submission: {
        host: '127.0.0.1',
        port: port + 29,
        tlsPort: port + 30,
        user: 'smtp@demo.example',
        password: expect.any(String) as string,
        certificate: join(data, 'platform/smtp.pem'),
      },
      inbound: null,
      kafka: { brokers: [`127.0.0.1:${port + 20}`] },
      elasticsearch: `http://127.0.0.1:${port + 22}`,
      world: { http: `http://127.0.0.1:${port + 28}`, dns: `127.0.0.1:${port + 26}`, domain: 'world.example' },
    });
    expect(Object.keys(running.pids).toSorted()).toEqual(['start', ...SERVICES, ...STORES].toSorted());
    expect(start.identities()).toHaveLength(12);
    for (const path of [...running.data, ...running.logs]) expect(existsSync(path)).toBe(true);
    expect((await fetch(`${running.gateway}/health`)).status).toBe(200);
  });

  it('has sent a first message and shows it, and a curl line that works when pasted', async () => {
    expect(start.output).toContain('Subject: The first message');
    expect(start.output).toContain('DKIM-Signature:');
    expect(start.output).toMatch(/Z {2}accepted\n.*Z {2}delivered/);
    expect(JSON.parse(await bash(pasted(start.output)))).toMatchObject({ message: 'Queued. Thank you.' });
    expect(await until(async () => (await received(start.running, 'ok@world.example')) === 1, 30_000)).toBe(true);
    expect(await eventNames(start.running, 'ok@world.example', 2)).toEqual(['accepted', 'delivered']);
  });

  it('does what the README says', async () => {
    const examples = readmeExamples();
    expect(examples.length).toBeGreaterThanOrEqual(6);
    const [setup, ...commands] = examples;
    const prelude = setup?.command.replace('.lethe/running.json', start.file) ?? '';
    for (const { command, answer } of commands) {
      let fault: string | null = 'not run';
      // An event is there a moment after the message.
      await until(
        async () => (fault = answer ? differs(await bash(prelude + command), answer) : null) === null,
        30_000,
        500,
      );
      expect(fault, command).toBeNull();
    }
  });

  it('passes settings to the services and to Kafka', () => {
    const properties = readFileSync(join(data, 'stores/kafka/server.properties'), 'utf8');
    expect(properties).toContain('\nlog.flush.interval.messages=1\n');
    const environment = readFileSync(`/proc/${start.running.pids['delivery']}/environ`, 'utf8');
    expect(environment.split('\0')).toContain('RETRY_POLL_MS=123');
  });

  it.each(['delivery', 'postgres'])('says that %s was killed, and starts it again', async (name) => {
    const before = start.identities().find((identity) => identity.name === name) as ProcessIdentity;
    signal(before, 'SIGKILL');
    await start.says(new RegExp(`${name} (was ended by SIGKILL|has died); started again in 0.5 s`));
    expect(await until(() => start.running.pids[name] !== before.pid, 60_000)).toBe(true);
    await deliver(start.running, `ok+${name}@world.example`);
  });

  it('refuses a second start and a reset of the same data, and another start on the same ports', async () => {
    const second = new NpmStart(data, port);
    const reset = new NpmStart(data, port, [], 'reset');
    const other = join(folder, 'other');
    const elsewhere = new NpmStart(other, port);
    expect(await Promise.all([second.ended(), reset.ended(), elsewhere.ended()])).toEqual([1, 1, 1]);
    expect(second.output).toContain('Lethe runs already');
    expect(reset.output).toContain('stop it first');
    expect(elsewhere.output).toContain(`${port} (gateway)`);
    expect(elsewhere.output).toContain('LETHE_PORT=');
    for (const { output } of [second, reset, elsewhere]) expect(output).not.toMatch(/^ +at |Error:/m);
    expect(existsSync(join(other, 'running.json'))).toBe(false);
    expect((await fetch(`${start.running.gateway}/health`)).status).toBe(200);
    expect(start.identities()).toHaveLength(12);
  });

  it('ends after a kill exactly what was left, and goes on with the same data', async () => {
    const former = start.identities();
    const { running } = start;
    start.signalGroup('SIGKILL');
    await start.ended();
    expect(former.filter(isRunning).map(({ name }) => name)).toEqual(expect.arrayContaining(SERVICES));
    const bystander = processIdentity(process.pid) as ProcessIdentity;

    const route = `OUTBOUND_ROUTE=smtp://127.0.0.1:${port + 27}`;
    start = new NpmStart(data, port, ['--with', route]);
    await start.says('ready; Ctrl-C');
    console.log(`the second start was ready after ${start.secondsOf('ready')} s`);
    expect(start.output).toContain('ended gateway, left over from a killed start');
    expect(former.filter(isRunning)).toEqual([]);
    expect(isRunning(bystander)).toBe(true);
    // The same account, and what was accepted before the kill.
    expect(start.running.apiKey).toBe(running.apiKey);
    expect(await eventNames(start.running, 'ok@world.example', 2)).toEqual(['accepted', 'delivered']);
    // Nobody has an exchanger for this domain: it arrives by the route that was passed through.
    await deliver(start.running, 'anybody@no-such-domain.invalid');
    // 40 s on a machine of its own; here others share it.
    expect(start.secondsOf('ready')).toBeLessThan(150);
  });

  it('ends every process on Ctrl-C, also one that is being started again, and leaves no running.json', async () => {
    const all = start.identities();
    const former = all.find(({ name }) => name === 'elasticsearch') as ProcessIdentity;
    const before = new Set([...all, ...begun()].map(({ pid }) => pid));
    signal(former, 'SIGKILL');
    const again = (): boolean =>
      begun().some((one) => one.name === 'elasticsearch' && !before.has(one.pid) && isRunning(one));
    expect(await until(again, 60_000, 20)).toBe(true);
    all.push(...begun());
    start.signalGroup('SIGINT');
    await start.ended();
    expect(start.output).toContain('everything has stopped');
    expect(all.filter(isRunning)).toEqual([]);
    expect(existsSync(start.file)).toBe(false);
  });

  it.each(['Ctrl-C', 'kill -9 of what npm runs'])(
    'ends what it has begun when %s comes while it starts',
    async (how) => {
      start = new NpmStart(data, port);
      expect(await until(() => begun().some(({ name }) => name === 'elasticsearch'), 60_000, 20)).toBe(true);
      const some = [...begun(), ...start.identities()];
      if (how === 'Ctrl-C') start.signalGroup('SIGINT');
      else process.kill(parentOf(start.running.pids['start'] ?? 0), 'SIGKILL');
      await start.ended();
      expect(some.filter(isRunning)).toEqual([]);
      expect(existsSync(start.file)).toBe(false);
    },
  );

  it('names a taken port and what to do, and starts nothing', async () => {
    const taken: Server = createServer().listen(port + 24, '127.0.0.1');
    start = new NpmStart(data, port);
    expect(await start.ended()).toBe(1);
    taken.close();
    expect(start.output).toContain(`Port ${port + 24} (postgres) is taken by another program.`);
    expect(start.output).not.toMatch(/^ +at /m);
    expect(existsSync(start.file)).toBe(false);
  });

  it('removes the data on reset', async () => {
    const reset = new NpmStart(data, port, [], 'reset');
    expect(await reset.ended()).toBe(0);
    expect(existsSync(data)).toBe(false);
  });
});
