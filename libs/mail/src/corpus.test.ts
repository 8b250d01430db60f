import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { describe, expect, it } from 'vitest';
import {
  dkimBodyHash,
  dkimSign,
  headerLine,
  missingHeaders,
  normaliseMessage,
  prependHeaders,
  removeHeaders,
  scanMime,
  splitMessage,
} from './index.ts';

// The package's own few messages always; the real ones where there are any.
const folders = [join(import.meta.dirname, '../fixtures')];
const corpora = process.env['LETHE_CORPORA'];
if (corpora && existsSync(join(corpora, 'mime'))) folders.push(join(corpora, 'mime'));
const messages = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(eml|msg)$/.test(name))
    .map((name) => ({ name, raw: readFileSync(join(folder, name)) })),
);
const hasRefused = (raw: Buffer) => /\r(?!\n)|\0/.test(raw.toString('latin1'));
const [good, bad] = [messages.filter(({ raw }) => !hasRefused(raw)), messages.filter(({ raw }) => hasRefused(raw))];

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
const withCrlf = (raw: Buffer) =>
  raw
    .toString('latin1')
    .replace(/\r?\n/g, '\r\n')
    .replace(/(?<!\r\n)$/, '\r\n');

it('has messages of both kinds to run over', () => {
  expect(good.length).toBeGreaterThanOrEqual(7);
  expect(bad.length).toBeGreaterThanOrEqual(2);
});

it.each(bad)('$name is refused for the bare CR or NUL it holds', ({ raw }) => {
  const read = normaliseMessage(raw);
  expect(read.ok ? 'taken' : read.refusal.reason).toMatch(/^(bare-cr|nul)$/);
});

describe.each(good)('$name', ({ raw }) => {
  const read = normaliseMessage(raw);
  const normalised = read.ok ? read.value : Buffer.of();

  it('gets CRLF line ends and nothing more', () => {
    expect(normalised.toString('latin1')).toBe(withCrlf(raw));
  });

  it('is scanned, completed and signed so that mailauth verifies it, its body unchanged', async () => {
    const scan = scanMime(normalised);
    expect(scan.ok).toBe(true);
    const defaults = { from: 'jane@a.example', date: new Date(), messageId: '<1@a.example>' };
    const complete = prependHeaders(normalised, missingHeaders(normalised, defaults));
    const { header, body } = splitMessage(complete);
    expect(body).toEqual(splitMessage(normalised).body);
    const bodyHash = dkimBodyHash(complete);
    const line = await dkimSign({
      header,
      bodyHash,
      domain: 'a.example',
      selector: 's',
      privateKey,
      time: 1_700_000_000,
    });
    const sent = prependHeaders(complete, [headerLine('Received', 'by a.example with HTTP'), line]);
    expect(sent.toString('latin1').endsWith(normalised.toString('latin1'))).toBe(true);
    const { results } = await dkimVerify(sent, { resolver: () => Promise.resolve([[record]]) });
    const ours = results.find((result) => result.signingDomain === 'a.example');
    expect(ours?.status).toMatchObject({ result: 'pass' });
    expect(removeHeaders(sent, ['received', 'dkim-signature'])).toEqual(
      removeHeaders(complete, ['received', 'dkim-signature']),
    );
  });
});
