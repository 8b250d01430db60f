import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user the stores run as: PostgreSQL and Elasticsearch refuse to be root.
 * @returns null when this process is not root (they then run as it does).
 */
export function storeUser(): User | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    'Running as root, and there is no user "postgres" or "nobody" to run the stores as. Start as another user.',
  );
}

/** Makes `folder` if need be and gives it to the stores' user. */
export function ownFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const user = storeUser();
  if (user) chownSync(folder, user.uid, user.gid);
}

let setpriv: string[] | undefined;

/**
 * setpriv (util-linux) does two things a plain setuid cannot: the child gets a signal when this process is killed, and,
 * coming from root, it keeps the right to walk through folders closed to others, so that a checkout or cache below /root
 * works. Empty where it is missing or not allowed.
 */
function setprivPrefix(): string[] {
  if (setpriv) return setpriv;
  const user = storeUser();
  const drop = user
    ? [
        `--reuid=${user.uid}`,
        `--regid=${user.gid}`,
        '--clear-groups',
        '--inh-caps=-all,+dac_read_search',
        '--ambient-caps=-all,+dac_read_search',
        // access(2) ignores capabilities without it, and the JVM asks access(2).
        '--securebits=+no_setuid_fixup',
      ]
    : [];
  const works = spawnSync('setpriv', [...drop, '--pdeathsig=TERM', '--', 'true']).status === 0;
  return (setpriv = works ? ['setpriv', ...drop] : []);
}

/** How to start `command` as the stores' user, for `spawn` and `spawnSync`; `orphaned` is the signal at this process's death. */
export function asStoreUser(
  command: string,
  args: readonly string[],
  orphaned: NodeJS.Signals = 'SIGTERM',
): { command: string; args: string[]; options: { uid?: number; gid?: number } } {
  const [wrapper, ...wrapperArgs] = setprivPrefix();
  if (wrapper === undefined) return { command, args: [...args], options: { ...storeUser() } };
  return {
    command: wrapper,
    args: [...wrapperArgs, `--pdeathsig=${orphaned.slice(3)}`, '--', command, ...args],
    options: {},
  };
}

/** Gives `folder` and everything in it to the stores' user. */
export function ownTree(folder: string): void {
  const user = storeUser();
  if (!user) return;
  chownSync(folder, user.uid, user.gid);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    chownSync(join(entry.parentPath, entry.name), user.uid, user.gid);
  }
}
