import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, runForeign, until } from '@lethe/testing';
import { listens, usedBy } from '../processes.ts';
import type { Relay } from './relay.ts';

const PROGRAMS = '/usr/lib/postfix/sbin';

/**
 * An instance of its own on loopback, with all mail going to `sink`; text: why there is none. Nothing of an installed one's queue or
 * settings is touched.
 */
export async function startPostfix(sink: number): Promise<Relay | string> {
  if (!existsSync(PROGRAMS) || spawnSync('postconf', ['-d', 'mail_version']).status !== 0) {
    return 'Postfix is not installed (Debian: apt-get install postfix)';
  }
  if (process.getuid?.() !== 0) return 'Postfix starts only as root';
  const { port } = await freePorts('port');
  // Its processes run as users of their own, who get through no folder that is ours alone.
  const dir = mkdtempSync(join(tmpdir(), 'lethe-postfix-'));
  chmodSync(dir, 0o755);
  const [etc, spool, data] = ['etc', 'spool', 'data'].map((name) => join(dir, name)) as [string, string, string];
  for (const folder of [etc, spool, data]) mkdirSync(folder, { recursive: true });
  await runForeign('chown', 'chown', ['postfix', data]);
  writeFileSync(join(etc, 'main.cf'), mainSettings({ dir, spool, data, sink }));
  writeFileSync(join(etc, 'master.cf'), services(port));
  await runForeign('Postfix', 'postfix', ['-c', etc, 'start']);
  if (!(await until(() => listens(port), 10_000, 50))) throw new Error('Postfix did not listen within 10 s');
  const master = Number(readFileSync(join(spool, 'pid/master.pid'), 'latin1'));
  return {
    name: 'Postfix',
    port,
    durability: 'fsync of the queue file before each 250; unsigned',
    cpu: () => usedBy({ postfix: master }),
    stop: async () => {
      await runForeign('Postfix', 'postfix', ['-c', etc, 'stop']);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const mainSettings = ({ dir, spool, data, sink }: { dir: string; spool: string; data: string; sink: number }): string =>
  `compatibility_level = 3.6
queue_directory = ${spool}
data_directory = ${data}
command_directory = /usr/sbin
daemon_directory = ${PROGRAMS}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${sink}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
maillog_file = ${join(dir, 'maillog')}
maillog_file_prefixes = ${dir}
alias_maps =
local_recipient_maps =
`;

/** Those a relay needs, not in a chroot. */
const services = (port: number): string => `${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
