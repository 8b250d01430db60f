import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  form,
  sendMessage,
  startSeaweedFs,
  startSuitePlatform,
  until,
  withClient,
  type SuitePlatform,
} from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Received } from '../../support/arrivals.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-bucket-'));
const bucket = await startSeaweedFs(folder);
afterAll(async () => {
  await bucket?.stop();
  rmSync(folder, { recursive: true });
});

describe.skipIf(bucket === null)('with bodies in a bucket', () => {
  let own: SuitePlatform;

  beforeAll(async () => {
    own = await startSuitePlatform({
      stores: inject('stores'),
      suite: `b${randomBytes(4).toString('hex')}`,
      settings: {
        RETRY_DELAYS: '1s,1s,2s',
        RETRY_POLL_MS: '100',
        BODY_STORE: 's3',
        BODIES_S3_BUCKET: 'bodies-of-lethe',
        BODIES_S3_ENDPOINT: bucket?.endpoint ?? '',
        BODIES_S3_PATH_STYLE: 'true',
        BODIES_S3_ACCESS_KEY_ID: bucket?.owner.accessKeyId ?? '',
        BODIES_S3_SECRET_ACCESS_KEY: bucket?.owner.secretAccessKey ?? '',
      },
    });
  });
  afterAll(() => own?.stop());

  const arrived = async (to: string): Promise<string[]> => {
    const all = (await (await fetch(`${own.world.http}/messages`)).json()) as Received[];
    return all.filter((mail) => mail.to.includes(to)).map(({ raw }) => Buffer.from(raw, 'base64').toString());
  };
  const send = (to: string, fields: Record<string, string> = {}): Promise<Response> =>
    sendMessage(
      own.platform.gateway,
      own.demo,
      form({ from: `ann@${own.demo.domain}`, to, text: 'Hello.', ...fields }),
    );

  it('a message arrives as it was sent, and the database of ingest never has its body', async () => {
    const text = `${'A line of a large message.\r\n'.repeat(80_000)}The end.`;
    expect((await send('ok+large@world.example', { text })).status).toBe(200);
    expect(await until(async () => (await arrived('ok+large@world.example')).length === 1, 90_000)).toBe(true);
    expect(await arrived('ok+large@world.example')).toEqual([expect.stringContaining('The end.')]);
    await withClient(own.stores.postgres.urls.ingest, async (client) => {
      expect((await client.query('select from message')).rowCount).toBe(1);
      expect((await client.query('select from bodies.body')).rowCount).toBe(0);
    });
  });

  it('one that was accepted waits for a bucket that is away, and none is accepted meanwhile', async () => {
    const due = new Date(Date.now() + 20_000);
    expect((await send('ok+waits@world.example', { 'o:deliverytime': due.toUTCString() })).status).toBe(200);
    await bucket?.kill9();
    expect((await send('ok+refused@world.example')).status).toBe(503);
    expect(await until(() => Date.now() > due.getTime() + 3_000, 60_000)).toBe(true);
    expect(await arrived('ok+waits@world.example')).toEqual([]);
    await bucket?.restart();
    expect(await until(async () => (await arrived('ok+waits@world.example')).length === 1, 120_000)).toBe(true);
    expect(await arrived('ok+refused@world.example')).toEqual([]);
  });
});
