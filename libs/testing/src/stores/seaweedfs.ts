import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pythonWith } from '../python.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { DEFINITION, version } from './definition.ts';
import { freePorts } from './ports.ts';
import { ownFolder, ownTree } from './run-as.ts';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SeaweedFs extends Daemon {
  /** Of its S3 door; path style. */
  readonly endpoint: string;
  /** Of who may do everything, and of who may read and list. */
  readonly owner: AccessKey;
  readonly reader: AccessKey;
  readonly dataDir: string;
  readonly logDir: string;
}

/**
 * Starts a real S3-compatible server on loopback, for suites that need one: SeaweedFS, in one process. `dir` holds `data` and `logs`, kept between starts.
 * @returns null, having said why, where it is not to be had; with LETHE_COMPLETE set that is an error instead.
 */
export async function startSeaweedFs(dir: string): Promise<SeaweedFs | null> {
  const requirements = join(DEFINITION, 'seaweedfs.requirements.txt');
  const python = await pythonWith(`seaweedfs-${version('SEAWEEDFS_VERSION')}`, [
    '--require-hashes',
    '-r',
    requirements,
  ]);
  if (python === null) return null;
  const folder = (name: string) => join(dir, name);
  for (const path of [dir, folder('data'), folder('logs')]) ownFolder(path);
  const owner = { accessKeyId: 'owner', secretAccessKey: 'known-to-every-test' };
  const reader = { accessKeyId: 'reader', secretAccessKey: 'known-to-every-reader' };
  const identity = ({ accessKeyId: accessKey, secretAccessKey: secretKey }: AccessKey, actions: string[]) => ({
    name: accessKey,
    credentials: [{ accessKey, secretKey }],
    actions,
  });
  const identities = [identity(owner, ['Admin']), identity(reader, ['Read', 'List'])];
  writeFileSync(folder('s3.json'), JSON.stringify({ identities }));
  ownTree(dir);
  const ports = await freePorts('master', 'masterRpc', 'volume', 'volumeRpc', 'filer', 'filerRpc', 's3', 's3Rpc');
  const settings = {
    dir: folder('data'),
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    'master.port': ports.master,
    'master.port.grpc': ports.masterRpc,
    // Ten seconds otherwise, after each restart.
    'master.electionTimeout': '1s',
    'master.telemetry': false,
    'master.volumeSizeLimitMB': 64,
    'volume.port': ports.volume,
    'volume.port.grpc': ports.volumeRpc,
    // Each bucket takes seven.
    'volume.max': 400,
    'volume.preStopSeconds': 0,
    filer: true,
    'filer.port': ports.filer,
    'filer.port.grpc': ports.filerRpc,
    'filer.localSocket': folder('data/filer.sock'),
    s3: true,
    's3.port': ports.s3,
    's3.port.grpc': ports.s3Rpc,
    's3.port.iceberg': 0,
    's3.port.lance': 0,
    's3.localSocket': folder('data/s3.sock'),
    's3.config': folder('s3.json'),
    's3.autoCreateBucket': false,
  };
  const filer = `http://127.0.0.1:${ports.filer}`;
  const daemon = await startDaemon({
    name: 'seaweedfs',
    command: join(dirname(python), 'weed'),
    args: ['-logtostderr=true', 'server', ...Object.entries(settings).map(([name, value]) => `-${name}=${value}`)],
    cwd: dir,
    logFile: join(folder('logs'), 'seaweedfs.log'),
    readyWithinMs: 60_000,
    // In its own way it takes 15 s, and what it has answered for is kept all the same.
    stopSignal: 'SIGKILL',
    ready: async () => {
      const [status, free] = await Promise.all([
        fetch(`http://127.0.0.1:${ports.s3}/status`, { signal: AbortSignal.timeout(2_000) }),
        // There is room once the volume server has told the master of itself.
        fetch(`http://127.0.0.1:${ports.master}/dir/assign`, { signal: AbortSignal.timeout(2_000) }),
      ]);
      return status.ok && free.ok && (await syncedBeforeAnswered(filer));
    },
  });
  return Object.assign(daemon, {
    endpoint: `http://127.0.0.1:${ports.s3}`,
    owner,
    reader,
    dataDir: folder('data'),
    logDir: folder('logs'),
  });
}

/** By itself it answers before what it was given is on the disk; so, after its volumes are. */
async function syncedBeforeAnswered(filer: string): Promise<boolean> {
  const form = new FormData();
  form.append('file', new Blob([JSON.stringify({ locations: [{ locationPrefix: '/buckets/', fsync: true }] })]));
  const answer = await fetch(`${filer}/etc/seaweedfs/filer.conf`, { method: 'POST', body: form });
  return answer.ok;
}
