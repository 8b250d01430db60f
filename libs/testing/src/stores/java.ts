import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Elasticsearch 9 needs 21; Kafka 4 is content with 17. */
const OLDEST = 21;

/** @returns the JAVA_HOME of a JDK of version 21 or later, from JAVA_HOME, /usr/lib/jvm and the PATH, in this order. */
export function findJava(): string {
  const jvms = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name)) : [];
  const found = [process.env.JAVA_HOME, ...jvms].find((home) => home !== undefined && versionOf(home) >= OLDEST);
  if (found !== undefined) return found;
  const onPath = javaOnPath();
  if (onPath !== null && versionOf(onPath) >= OLDEST) return onPath;
  throw new Error(
    `Java ${OLDEST} or later is needed to run Kafka and Elasticsearch, and none was found (looked at JAVA_HOME, /usr/lib/jvm ` +
      `and the PATH). Install a JDK >= ${OLDEST}, for instance Temurin, or set JAVA_HOME.`,
  );
}

/** The `release` file tells the version without starting a JVM. */
function versionOf(home: string): number {
  if (!existsSync(join(home, 'bin/java'))) return 0;
  try {
    return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function javaOnPath(): string | null {
  const answer = spawnSync('java', ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
  return /java\.home = (.+)/.exec(answer.stderr ?? '')?.[1]?.trim() ?? null;
}

/** Fails with a plain message when Maven is missing. */
export function requireMaven(): void {
  if (spawnSync('mvn', ['--version']).error) {
    throw new Error(
      'Maven is needed once, to fetch Kafka and Elasticsearch, and "mvn" was not found. Install Maven 3.8 or later (Debian: apt install maven).',
    );
  }
}

/** Options of a JVM's compiler: `StoresOptions.shortLived`. */
export const compiler = (shortLived = false): string[] => (shortLived ? ['-XX:TieredStopAtLevel=1'] : []);
