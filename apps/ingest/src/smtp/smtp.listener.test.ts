import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@lethe/service';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { IngestConfig } from '../config.ts';
import { smtpConfig } from './smtp.config.ts';
import { SmtpListener } from './smtp.listener.ts';
import type { SubmissionsService } from './submissions.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-smtp-'));
const noPem = join(folder, 'no.pem');
writeFileSync(noPem, 'secret text');
afterAll(() => rmSync(folder, { recursive: true }));

const listener = (settings: Record<string, string>) =>
  new SmtpListener(
    {} as SubmissionsService,
    createLog({ service: 'test', level: 'silent' }),
    z.object(smtpConfig).parse(settings) as IngestConfig,
  );

it('is off until a port is set', async () => {
  const off = listener({});
  await off.onApplicationBootstrap();
  expect(off.ports).toEqual([]);
  await off.onModuleDestroy();
});

it.each([
  [{}, 'SMTP needs TLS: set SMTP_TLS_CERT_FILE'],
  [{ SMTP_TLS_CERT_FILE: noPem, SMTP_TLS_KEY_FILE: join(folder, 'none') }, 'must name a certificate and its key'],
  [{ SMTP_TLS_CERT_FILE: noPem, SMTP_TLS_KEY_FILE: noPem }, 'must name a certificate and its key'],
])('does not start without TLS: %j', async (files, reason) => {
  await expect(listener({ SMTP_PORT: '0', ...files }).onApplicationBootstrap()).rejects.toThrow(reason);
});
