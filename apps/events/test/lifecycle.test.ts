import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RETENTION } from '@lethe/contracts';
import { elasticsearchHome, findJava } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_CLASSES, lifecyclePolicy, policyName } from '../src/retention/event.lifecycle.ts';

const FILES = fileURLToPath(new URL('../../../deploy/elasticsearch/ilm/', import.meta.url));
const CHECK = fileURLToPath(new URL('support/PolicyCheck.java', import.meta.url));

/** What Elasticsearch's own parser says of each file, by its name. */
async function check(files: readonly string[]): Promise<Map<string, string>> {
  const home = await elasticsearchHome(() => {});
  const classes = ['lib', 'modules/x-pack-core'].map((folder) => join(home, folder, '*')).join(':');
  const java = join(findJava(), 'bin/java');
  const said = execFileSync(java, ['-Xmx256m', '-cp', classes, CHECK, ...files], { encoding: 'utf8', stdio: 'pipe' });
  const lines = said.trim().split('\n');
  return new Map(lines.map((line) => [line.split(' ', 2)[1] ?? '', line.replace(/^(\w+) \S+/, '$1')]));
}

describe('lifecycle policies', () => {
  let folder: string;
  let said: Map<string, string>;

  const wrong = {
    'unknown-action': { phases: { delete: { min_age: '23h', actions: { delet: {} } } } },
    'unknown-phase': { phases: { removal: { min_age: '23h', actions: { delete: {} } } } },
    'not-a-time': { phases: { delete: { min_age: '23 hours', actions: { delete: {} } } } },
    'unknown-field': { phases: { delete: { age: '23h', actions: { delete: {} } } } },
    'action-of-another-phase': { phases: { hot: { actions: { delete: {} } } } },
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-policies-'));
    for (const [name, policy] of Object.entries(wrong)) {
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ policy }));
    }
    const files = [FILES, folder].flatMap((from) => readdirSync(from).map((name) => join(from, name)));
    said = await check(files);
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lie in deploy as the service puts them', () => {
    const files = Object.fromEntries(
      readdirSync(FILES).map((name) => [
        basename(name, '.json'),
        JSON.parse(readFileSync(FILES + name, 'utf8')) as unknown,
      ]),
    );
    const own = EVENT_CLASSES.map((each) => [policyName('lethe-', each), { policy: lifecyclePolicy(each) }]);
    expect(files).toEqual(Object.fromEntries(own));
  });

  it.each(EVENT_CLASSES)(
    'of class %s is one that Elasticsearch takes, and deletes an hour before the limit',
    (each) => {
      const { limitMs } = RETENTION[each];
      expect(said.get(`lethe-events-${each}`)).toMatch(
        new RegExp(`^accepted delete:${limitMs - 3_600_000}:[1-9]\\d*$`),
      );
    },
  );

  it.each(Object.keys(wrong))('with a mistake is refused: %s', (name) => {
    expect(said.get(name)).toMatch(/^refused ./);
  });
});
