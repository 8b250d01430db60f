import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { basic, get, joinPlatform, until, type PlatformClient } from '@lethe/testing';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { beforeAll, describe, expect, inject, it } from 'vitest';

/** Real and broken messages where LETHE_CORPORA names them; always the small ones of our own. */
const FOLDERS = [
  join(import.meta.dirname, '../../fixtures/mime'),
  ...(process.env['LETHE_CORPORA'] ? [join(process.env['LETHE_CORPORA'], 'mime')] : []),
];
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(eml|msg)$/.test(name))
    .map((name) => ({ name, raw: readFileSync(join(folder, name)) })),
);

/** Headers a delivery adds, and the ones it must not pass on. */
const TRACE = /^(received|dkim-signature|feedback-id)$/i;
const ADDED_IF_MISSING = ['from', 'date', 'message-id'];

let suite: PlatformClient;
let dkimRecord: { name: string; value: string };

beforeAll(async () => {
  suite = await joinPlatform(inject('platform'), 'mime');
  const view = (await (
    await get(`${suite.platform.gateway}/v4/domains/${suite.demo.domain}`, suite.demo.apiKey)
  ).json()) as { sending_dns_records: { record_type: string; name: string; value: string }[] };
  const record = view.sending_dns_records.find(({ value }) => value.includes('p='));
  if (!record) throw new Error('the domain shows no DKIM record');
  dkimRecord = record;
});

/** The rule HTTP and SMTP share: NUL and a CR without LF are refused, everything else is taken. */
const refusal = (raw: Buffer): 'bare-cr' | 'nul' | null => {
  if (raw.includes(0)) return 'nul';
  return /\r(?!\n)/.test(raw.toString('latin1')) ? 'bare-cr' : null;
};
const crlf = (raw: Buffer): string => {
  const text = raw.toString('latin1').replaceAll(/\r?\n/g, '\r\n');
  return text.endsWith('\r\n') ? text : `${text}\r\n`;
};

interface Split {
  fields: { name: string; text: string }[];
  body: string;
}

/** The first empty line ends the header; what begins without a field is all body. */
function split(text: string): Split {
  const hasHeader = /^(From |[!-9;-~]+[ \t]*:)/.test(text);
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  if (!hasHeader && !text.startsWith('\r\n')) return { fields: [], body: text };
  const header = end === 1 ? text : text.slice(0, end);
  const lines = header.split(/\r\n(?![ \t])/).filter((line) => line !== '');
  const fields = lines.map((line) => ({
    name: /^([!-9;-~]+)[ \t]*:/.exec(line)?.[1]?.toLowerCase() ?? '',
    text: line,
  }));
  return { fields, body: end === 1 ? '' : text.slice(end + 2) };
}

async function submit(raw: Buffer, to: string): Promise<{ status: number; message: string }> {
  const body = new FormData();
  body.append('to', to);
  body.append('message', new Blob([new Uint8Array(raw)]), 'MimeMessage');
  const response = await fetch(`${suite.platform.gateway}/v3/${suite.demo.domain}/messages.mime`, {
    method: 'POST',
    headers: { authorization: basic(suite.demo.apiKey) },
    body,
  });
  return { status: response.status, message: ((await response.json()) as { message: string }).message };
}

async function arrived(to: string): Promise<Buffer> {
  let raw: string | undefined;
  await until(async () => {
    const messages = (await (await fetch(`${suite.world.http}/messages?to=${encodeURIComponent(to)}`)).json()) as {
      raw: string;
    }[];
    raw = messages[0]?.raw;
    return raw !== undefined;
  }, 20_000);
  if (raw === undefined) throw new Error('did not arrive within 20 s');
  return Buffer.from(raw, 'base64');
}

const resolver = (name: string): Promise<string[][]> =>
  name === dkimRecord.name
    ? Promise.resolve([[dkimRecord.value]])
    : Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));

describe.concurrent('messages.mime', () => {
  it('has messages to run over', () => expect(FILES.length).toBeGreaterThanOrEqual(5));

  it.each(FILES.map(({ name, raw }, index) => [name, raw, index] as const))('%s', async (_name, raw, index) => {
    const to = `ok+mime${index}@world.example`;
    const answer = await submit(raw, to);
    const refused = refusal(raw);
    if (refused) {
      expect(answer.status).toBe(400);
      expect(answer.message).toMatch(refused === 'nul' ? /NUL/ : /CR that is not followed by LF/);
      return;
    }
    expect(answer).toEqual({ status: 200, message: 'Queued. Thank you.' });

    const received = await arrived(to);
    const sent = split(crlf(raw));
    const got = split(received.toString('latin1'));
    expect(got.body).toBe(sent.body);

    const present = new Set(sent.fields.map(({ name }) => name));
    const kept = sent.fields.filter(({ name }) => !/^(bcc|resent-bcc|return-path|x-mailgun-.*)$/.test(name));
    const added = got.fields.slice(0, got.fields.length - kept.length);
    expect(got.fields.slice(added.length)).toEqual(kept);
    for (const { name } of added) {
      expect(TRACE.test(name) || (ADDED_IF_MISSING.includes(name) && !present.has(name)), name).toBe(true);
    }

    const { results } = await dkimVerify(received, { resolver });
    const ours = results.filter((result) => result.signingDomain === suite.demo.domain);
    expect(ours.map((result) => result.status.result)).toEqual(['pass']);
  });
});
