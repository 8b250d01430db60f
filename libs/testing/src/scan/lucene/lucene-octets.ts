import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { elasticsearchHome, once } from '../../stores/cache.ts';
import { findJava } from '../../stores/java.ts';

/** One piece of what a Lucene index holds. */
export interface LucenePart {
  readonly kind: 'segment' | 'layer' | 'octets' | 'unopened';
  readonly octets: Buffer;
}

const KINDS: Readonly<Record<string, LucenePart['kind']>> = { S: 'segment', L: 'layer', D: 'octets', U: 'unopened' };
const HEADER = 5;
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xlog:disable'];
const PROGRAM = 'LuceneOctets';

/** Reads whole indices with Lucene's own code, deleted documents included; see LuceneOctets.java. */
export async function* luceneOctets(indices: readonly string[]): AsyncGenerator<LucenePart> {
  const home = await elasticsearchHome(() => {});
  const classes = await compiled(home);
  const java = join(findJava(), 'bin/java');
  const child = spawn(java, [...JVM, '-cp', `${classes}:${home}/lib/*`, PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  child.stdin.end(indices.join('\n'));
  try {
    yield* parts(child.stdout as AsyncIterable<Buffer>);
    if ((await ended) !== 0) throw new Error(`The reader of Lucene's indices failed: ${said}`);
  } finally {
    child.kill('SIGKILL');
  }
}

async function* parts(stream: AsyncIterable<Buffer>): AsyncGenerator<LucenePart> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= HEADER) {
      const end = at + HEADER + rest.readUInt32BE(at + 1);
      if (end > rest.length) break;
      const kind = KINDS[String.fromCharCode(rest[at]!)];
      if (kind === undefined) throw new Error('The reader of Lucene’s indices wrote something else.');
      yield { kind, octets: rest.subarray(at + HEADER, end) };
      at = end;
    }
    rest = rest.subarray(at);
  }
}

/** Compiled once for each version of the program and of Lucene. */
function compiled(home: string): Promise<string> {
  const source = join(import.meta.dirname, `${PROGRAM}.java`);
  const version = createHash('sha256').update(readFileSync(source)).update(home).digest('hex').slice(0, 16);
  return once(`lucene-octets-${version}`, async (folder) => {
    const child = spawn(join(findJava(), 'bin/javac'), ['-cp', `${home}/lib/*`, '-d', folder, source], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    if (code !== 0) throw new Error(`${PROGRAM}.java does not compile:\n${said}`);
  });
}
