import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runForeign } from '../foreign.ts';
import { cacheFolder } from '../stores/cache.ts';

export interface SmtpSource {
  /** Sends, and resolves once the program is through. @throws with its own words if it is not content with every reply. */
  send(options: {
    port: number;
    sessions: number;
    messages: number;
    octets: number;
    from: string;
    /** Every message has a number before it: `7ok@…`. */
    to: string;
    /** Sessions stay for many messages; else each message has one of its own. */
    stay?: boolean;
  }): Promise<void>;
}

/**
 * Postfix's load generator: on the path, or unpacked from Debian's package into the cache, so that no mail server is installed.
 * @returns null, having said why, where there is none to be had; with LETHE_COMPLETE set that is an error instead.
 */
export async function smtpSource(): Promise<SmtpSource | null> {
  try {
    return runner(await find());
  } catch (error) {
    const reason = (error as Error).message;
    if (process.env.LETHE_COMPLETE)
      throw new Error(`smtp-source of Postfix is needed here: ${reason}`, { cause: error });
    process.stderr.write(`skipped: what smtp-source of Postfix sends (${reason})\n`);
    return null;
  }
}

interface Program {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

async function find(): Promise<Program> {
  const installed = { command: 'smtp-source', environment: process.env };
  if (starts(installed)) return installed;
  const folder = join(cacheFolder(), 'postfix');
  if (!existsSync(folder)) await unpack(folder);
  const unpacked = {
    command: join(folder, 'usr/sbin/smtp-source'),
    environment: { ...process.env, LD_LIBRARY_PATH: join(folder, 'usr/lib/postfix') },
  };
  if (!starts(unpacked)) throw new Error('it does not start: libraries it is linked with are missing');
  return unpacked;
}

/** Without arguments it says how it is used. */
const starts = ({ command, environment }: Program): boolean =>
  spawnSync(command, [], { env: environment, encoding: 'utf8' }).stderr?.includes('usage') ?? false;

async function unpack(folder: string): Promise<void> {
  // Whole or not at all, also when two make it at once.
  const partial = `${folder}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await run({ command: 'apt-get', environment: process.env }, ['download', 'postfix'], partial);
    const [archive = ''] = globSync('postfix_*.deb', { cwd: partial });
    await run({ command: 'dpkg-deb', environment: process.env }, ['--extract', archive, '.'], partial);
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

const runner = (program: Program): SmtpSource => ({
  send: ({ port, sessions, messages, octets, from, to, stay = false }) => {
    const session = stay ? ['-d'] : [];
    const load = ['-s', sessions, '-m', messages, '-l', octets].map(String);
    return run(program, [...load, ...session, '-f', from, '-t', to, '-N', `inet:127.0.0.1:${port}`]);
  },
});

const run = ({ command, environment: env }: Program, args: readonly string[], cwd?: string): Promise<void> =>
  runForeign(command, command, args, { env, ...(cwd === undefined ? {} : { cwd }) });
