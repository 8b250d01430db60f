import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  processIdentity,
  REPOSITORY,
  startPlatform,
  startStores,
  startWorld,
  watchStores,
  type Platform,
  type RunningStores,
  type World,
} from '@lethe/testing';
import { readArguments } from './arguments.ts';
import { demoPorts, servicePorts } from './ports.ts';
import { curlLine, demoAccount, firstMessage } from './first-message.ts';
import { NOTHING_RUNNING, removeRunning, writeRunning, type Running } from './running-file.ts';

const run = promisify(execFile);
const FOLDER = join(REPOSITORY, '.lethe');
const RUNNING_FILE = join(FOLDER, 'running.json');
const DOMAIN = 'demo.example';

const begin = Number(process.env['LETHE_BEGIN'] ?? Date.now());
const say = (line: string): void => console.log(`${((Date.now() - begin) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

let stores: RunningStores | undefined;
let world: World | undefined;
let platform: Platform | undefined;
let endWatch: (() => void) | undefined;
const running: Running = { ...NOTHING_RUNNING };

/** Keeps `.lethe/running.json` true. */
function publish(): void {
  const pids: Record<string, number> = { start: process.pid };
  for (const [name, pid] of Object.entries({ ...stores?.stores.pids, ...platform?.pids })) if (pid) pids[name] = pid;
  Object.assign(running, { pids });
  writeRunning(RUNNING_FILE, running);
}

async function start(): Promise<void> {
  const settings = readArguments(process.argv.slice(2));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'start.pid'), JSON.stringify(processIdentity(process.pid, 'start')));
  removeRunning(RUNNING_FILE);

  const built = build();
  const ports = demoPorts();
  world = await startWorld({ dnsPort: ports.dns, smtpPort: ports.smtp, httpPort: ports.worldHttp });
  [stores] = await Promise.all([
    startStores({ dir: join(FOLDER, 'stores'), ports: ports.stores, settings: settings.stores, progress: say }),
    built,
  ]);
  const { stores: described } = stores;
  Object.assign(running, {
    operatorToken: null,
    kafka: { brokers: described.kafka.brokers },
    elasticsearch: described.elasticsearch,
    world: { http: world.http, dns: `${world.dns.host}:${world.dns.port}`, domain: world.domain },
    data: Object.values(described.data),
    logs: [...Object.values(described.logs), join(FOLDER, 'platform', 'logs')],
  });
  publish();
  endWatch = watchStores(stores, say, publish);

  platform = await startPlatform({
    dir: join(FOLDER, 'platform'),
    stores: described,
    world,
    ports: servicePorts(),
    settings: settings.services,
    says: say,
    changed: () => platform && publish(),
  });
  running.gateway = platform.gateway;
  running.operatorToken = platform.secrets.operatorToken;
  publish();
  await platform.ready();
  say('all services are ready');

  const demo = await demoAccount(join(FOLDER, 'demo.json'), platform.gateway, platform.secrets.operatorToken, DOMAIN);
  Object.assign(running, { apiKey: demo.apiKey, privacyKey: demo.privacyKey, domain: demo.domain });
  publish();
  await show(demo, platform.gateway, world.http);
}

async function show(demo: Parameters<typeof firstMessage>[2], gateway: string, worldHttp: string): Promise<void> {
  const line = curlLine(gateway, demo);
  const followed = running.world && !process.argv.some((argument) => argument.includes('OUTBOUND_ROUTE'));
  if (followed) {
    const first = await firstMessage(gateway, worldHttp, demo);
    say(`the first message has arrived: ${first.id}\n`);
    console.log(indent(first.headers), '\n');
    console.log(indent(first.events.join('\n')), '\n');
  }
  console.log(`  gateway      ${gateway}
  what arrived ${worldHttp}
  logs         ${join('.lethe', 'platform', 'logs')}
  keys         ${join('.lethe', 'running.json')}

  Send one yourself:

    ${line}

  Its events:

    curl -s --user 'api:${demo.apiKey}' '${gateway}/v3/${demo.domain}/events?limit=5'

  Ctrl-C stops everything; \`npm run reset\` removes the data.\n`);
  say('ready');
}

const indent = (text: string): string => text.replaceAll('\r', '').replaceAll(/^/gm, '    ').trimEnd();

async function build(): Promise<void> {
  try {
    await run(join(REPOSITORY, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: REPOSITORY });
  } catch (error) {
    throw new Error(`the build failed:\n${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
  }
  say('built');
}

let stopping: Promise<void> | undefined;
function stop(): Promise<void> {
  stopping ??= (async () => {
    endWatch?.();
    await platform?.stop();
    await Promise.all([stores?.stop(), world?.stop()]);
    removeRunning(RUNNING_FILE);
    removeRunning(join(FOLDER, 'start.pid'));
  })();
  return stopping;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (!stopping) say('stopping …');
    void stop().then(() => {
      say('everything has stopped');
      process.exit(0);
    });
  });
}

try {
  await start();
} catch (error) {
  if (!stopping) console.error(`\n${explain(error as NodeJS.ErrnoException)}\n`);
  await stop();
  process.exit(1);
}

/** Plain words for what people can put right themselves. */
function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') {
    const port = (error as { port?: number }).port;
    return `Port ${port} is taken. End the program that uses it, or choose another base with LETHE_PORT=<number> npm start.`;
  }
  if (error.code === 'ENOSPC')
    return 'The disk is full: free some space (npm run reset removes local data) and start again.';
  return `Start failed: ${error.message}`;
}
