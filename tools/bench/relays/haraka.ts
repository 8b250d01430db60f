import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, freePorts, until } from '@lethe/testing';
import { listens, usedBy } from '../processes.ts';
import type { Relay } from './relay.ts';

const VERSION = '3.3.4';

/** With its disk queue and its own delivery, on both cores, and all mail going to `sink`; text: why there is none. */
export async function startHaraka(dir: string, sink: number): Promise<Relay | string> {
  const home = join(cacheFolder(), 'haraka');
  const haraka = join(home, 'node_modules/Haraka');
  if (!existsSync(haraka)) {
    return `Haraka is not there: npm install --prefix ${home} --no-save --ignore-scripts Haraka@${VERSION}`;
  }
  const { port } = await freePorts('port');
  for (const folder of ['config', 'plugins', 'queue']) mkdirSync(join(dir, folder), { recursive: true });
  const config = (name: string, text: string): void => writeFileSync(join(dir, 'config', name), text);
  const own = readdirSync(join(haraka, 'config')).filter((name) =>
    /^(connection\.ini|outbound\.bounce_message)/.test(name),
  );
  for (const name of own) copyFileSync(join(haraka, 'config', name), join(dir, 'config', name));
  config('smtp.ini', `listen=127.0.0.1:${port}\nnodes=2\n`);
  config('me', 'relay.example');
  config('databytes', '100000');
  config('log.ini', 'level=warn');
  config('outbound.ini', 'local_mx_ok=true\nenable_tls=false\nconcurrency_max=100\n');
  config('plugins', 'bench\n');
  writeFileSync(join(dir, 'plugins/bench.js'), plugin(sink));
  const log = openSync(join(dir, 'log'), 'a');
  const child = spawn(process.execPath, [join(haraka, 'bin/haraka'), '-c', dir], { stdio: ['ignore', log, log] });
  if (!(await until(() => listens(port), 20_000, 100))) throw new Error('Haraka did not listen within 20 s');
  return {
    name: 'Haraka',
    port,
    durability: 'fsync of the queue file before each 250; unsigned',
    cpu: () => usedBy({ haraka: child.pid ?? null }),
    stop: async () => {
      child.kill();
      await until(() => child.exitCode !== null || child.signalCode !== null, 10_000, 50);
    },
  };
}

const plugin = (sink: number): string => `
exports.register = function () {
  this.register_hook('connect', 'trust');
  this.register_hook('rcpt', 'take');
  this.register_hook('get_mx', 'route');
};
exports.trust = (next, connection) => { connection.relaying = true; next(); };
exports.take = (next) => next(OK);
exports.route = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${sink} });
`;
