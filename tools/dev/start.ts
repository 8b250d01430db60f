import { relative } from 'node:path';
import { readArguments, type Settings } from './arguments.ts';
import { DATA, leaveFolder, takeFolder } from './data-folder.ts';
import { DockerEngine } from './docker-engine.ts';
import type { Engine, Started } from './engine.ts';
import { explain } from './explain.ts';
import { demoAccount, firstMessage } from './first-message.ts';
import { NativeEngine } from './native-engine.ts';
import { root } from './paths.mjs';
import { demoPorts } from './ports.ts';
import { NOTHING_RUNNING, writeRunning, type Running } from './running-file.ts';
import { welcome } from './welcome.ts';

const begin = Number(process.env['LETHE_BEGIN'] ?? Date.now());
const say = (line: string): void => console.log(`${((Date.now() - begin) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

let running: Running = NOTHING_RUNNING;
let engine: Engine | undefined;
let stopping: Promise<void> | undefined;

/** Keeps `running.json` true, until the stop begins. */
function publish(change: Partial<Running>): void {
  if (stopping) return;
  running = { ...running, ...change, pids: { start: process.pid, ...(change.pids ?? running.pids) } };
  writeRunning(DATA.running, running);
}

async function start(settings: Settings): Promise<void> {
  await takeFolder(say);
  publish({});
  engine = new (process.env['LETHE_ENGINE'] === 'docker' ? DockerEngine : NativeEngine)(settings, say, publish);
  const started = await engine.start();
  if (stopping) return;
  const { gateway, operatorToken } = started;
  publish({ gateway, operatorToken });
  say('all services are ready');
  await show(started, settings);
}

/** Short where it is in the project's folder. */
const shown = (file: string): string => (file.startsWith(root) ? relative(root, file) : file);

async function show(started: Started, settings: Settings): Promise<void> {
  const { gateway, operatorToken, worldHttp } = started;
  const demo = await demoAccount(started.demoFile, gateway, operatorToken);
  const { apiKey, privacyKey, domain, login } = demo;
  const { submission: port, submissionTls: tlsPort } = demoPorts();
  const submission = { host: '127.0.0.1', port, tlsPort, ...login, certificate: started.certificateFile };
  publish({ apiKey, privacyKey, domain, submission });
  say('the demo account is ready');
  const elsewhere = settings.services['OUTBOUND_ROUTE'] !== undefined && settings.services['OUTBOUND_ROUTE'] !== 'mx';
  const first = elsewhere ? null : await firstMessage(gateway, worldHttp, demo, say);
  const files = { logs: started.logs, runningFile: shown(DATA.running) };
  console.log(welcome({ gateway, worldHttp, demo, submission, first, ...files }));
  say('ready; Ctrl-C stops everything');
}

function stop(): Promise<void> {
  stopping ??= (async () => {
    await engine?.stop();
    if (engine) leaveFolder();
  })();
  return stopping;
}

// The channel to tools/dev/start.mjs closes when that process is gone.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  process.on(name, () => {
    if (!stopping) say('stopping …');
    void stop().then(() => {
      say('everything has stopped');
      process.exit(0);
    });
  });
}

let settings: Settings;
try {
  settings = readArguments(process.argv.slice(2));
  await start(settings);
} catch (error) {
  // A stop makes the start fail; whoever asked for it says the rest.
  if (!stopping) {
    console.error(`\n${explain(error)}\n`);
    await stop();
    process.exit(1);
  }
}
