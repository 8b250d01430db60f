import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noise, recordBatch, zip } from './planting.test-data.ts';
import { scanFolders } from './scan-folders.ts';
import type { Needle } from './needle.ts';

const address: Needle = { name: 'address', value: 'Temperror+q7Zk19@World.example' };
const subject: Needle = { name: 'subject', value: 'Grüße & "Küsse" <für> dich: 50 % = halb/ganz' };
const body: Needle = { name: 'body', value: 'the eagle lands at 7:40, hangar 12', hashed: ['all of\r\nthe body'] };
const needles = [address, subject, body];

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lethe-scan-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plant(name: string, content: Buffer): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const scan = () => scanFolders({ folders: [folder], needles });
const found = async () => {
  const { findings, unopened } = await scan();
  expect(unopened).toEqual([]);
  return findings.map(({ needle, variant, layer }) => `${needle} | ${variant} | ${layer}`);
};

const bytes = (text: string) => [...Buffer.from(text)];
const each = (text: string, write: (hex: string) => string) =>
  bytes(text)
    .map((octet) => write(octet.toString(16).padStart(2, '0')))
    .join('');
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();
const sha = (algorithm: string, text: string) => createHash(algorithm).update(text).digest();

/** How others write a value, made without the scanner's own encoders. */
const WRITTEN: [string, (value: string) => Uint8Array | string][] = [
  ['as it is', (value) => value],
  ['lower case', (value) => value.toLowerCase()],
  ['upper case', (value) => value.toUpperCase()],
  ['UTF-16LE', (value) => Buffer.from(value, 'utf16le')],
  ['UTF-16BE', bigEndian],
  ['decomposed', (value) => value.normalize('NFD')],
  ['Latin-1', (value) => Buffer.from(value, 'latin1')],
  ['base64', (value) => Buffer.from(value).toString('base64')],
  ['base64 after one octet', (value) => Buffer.from(`x${value}`).toString('base64')],
  ['base64 after two octets', (value) => Buffer.from(`xy${value}z`).toString('base64')],
  ['base64 of lower case', (value) => Buffer.from(value.toLowerCase()).toString('base64')],
  ['base64url', (value) => Buffer.from(value).toString('base64url')],
  ['base64 in lines', (value) => inLines(Buffer.from(`To: ${value}, and then some more`).toString('base64'), 20)],
  ['base64 in lines in JSON', (v) => JSON.stringify(inLines(Buffer.from(`To: ${v}, and more`).toString('base64'), 20))],
  ['encoded words', (value) => encodedWords(value)],
  ['quoted-printable', (value) => each(value, (hex) => `=${hex.toUpperCase()}`)],
  ['quoted-printable, soft breaks', (value) => softBreaks(each(value, (hex) => `=${hex.toUpperCase()}`))],
  ['folded line', (value) => `Subject: ${value.replaceAll(' ', '\r\n ')}\r\n`],
  ['folded line in JSON', (value) => JSON.stringify(`Subject: ${value.replaceAll(' ', '\r\n ')}\r\n`)],
  ['soft break in clear', (value) => softBreaks(value)],
  ['hex', (value) => Buffer.from(value).toString('hex')],
  ['HEX', (value) => Buffer.from(value).toString('hex').toUpperCase()],
  ['percent, every octet', (value) => each(value, (hex) => `%${hex}`)],
  ['URI component', (value) => encodeURIComponent(value)],
  ['form', (value) => new URLSearchParams({ to: value }).toString()],
  ['JSON', (value) => JSON.stringify({ value })],
  ['JSON in JSON', (value) => JSON.stringify(JSON.stringify({ value }))],
  [
    'JSON, \\u',
    (value) =>
      Array.from(value)
        .map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
  ],
  ['HTML, named', html],
  [
    'HTML, decimal',
    (value) =>
      Array.from(value)
        .map((one) => `&#${one.codePointAt(0)};`)
        .join(''),
  ],
  [
    'HTML, hexadecimal',
    (value) =>
      Array.from(value)
        .map((one) => `&#x${one.codePointAt(0)?.toString(16)};`)
        .join(''),
  ],
  ...['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256'].flatMap(
    (algorithm): [string, (value: string) => Uint8Array | string][] => [
      [algorithm, (value) => sha(algorithm, value)],
      [`${algorithm} of lower case, hex`, (value) => sha(algorithm, value.toLowerCase()).toString('hex')],
      [`${algorithm} HEX`, (value) => sha(algorithm, value).toString('hex').toUpperCase()],
      [`${algorithm} base64`, (value) => sha(algorithm, value).toString('base64')],
      [`${algorithm} base64url`, (value) => sha(algorithm, value).toString('base64url')],
    ],
  ),
];

describe('finds planted marks', () => {
  it.each(WRITTEN)('written as %s, alone in a file and amid noise', async (_, write) => {
    for (const needle of needles) {
      plant(`${needle.name}/alone`, Buffer.from(write(needle.value)));
      plant(`${needle.name}/amid`, Buffer.concat([noise(5_001), Buffer.from(write(needle.value)), noise(999)]));
    }
    const { findings } = await scan();
    for (const { name } of needles) {
      for (const place of ['alone', 'amid']) {
        const files = findings.filter(({ needle }) => needle === name).map(({ file }) => file);
        expect(files).toContain(join(folder, name, place));
      }
    }
    // Each file holds one needle, and nothing else is seen in it.
    for (const { needle, file } of findings) expect(file).toContain(`/${needle}/`);
  });

  it('by the hash of another text that would betray it', async () => {
    plant('row', Buffer.from(`{"bodyHash":"${sha('sha256', 'all of\r\nthe body').toString('hex')}"}`));
    expect(await found()).toEqual(['body | sha256 hex | ']);
  });

  it('over the border of two chunks, at any offset', async () => {
    const chunk = 4 * 1024 * 1024;
    const mark = Buffer.from(address.value);
    for (const before of [1, 8, mark.length - 1, mark.length]) {
      const content = Buffer.alloc(chunk + 1_000);
      mark.copy(content, chunk - before);
      plant('border', content);
      const { findings } = await scan();
      expect(findings.map(({ offset, variant }) => [offset, variant])).toEqual([[chunk - before, 'raw']]);
    }
  });

  it('at the end of a sparse file', async () => {
    const file = plant('sparse', Buffer.alloc(0));
    truncateSync(file, 50_000_000);
    plant('sparse', Buffer.concat([Buffer.alloc(20_000_000), Buffer.from(subject.value)]));
    expect(await found()).toEqual(['subject | raw | ']);
  });

  it('in the name of a file', async () => {
    plant(`inbox/${encodeURIComponent(address.value)}.eml`, Buffer.from('x'));
    expect(await found()).toEqual(['address | percent-encoded | name']);
  });

  it('over the border of two WAL pages', async () => {
    const mark = Buffer.from(address.value);
    const page = Buffer.concat([noise(8_192 - 11), mark.subarray(0, 11)]);
    const header = Buffer.from('17d10500010000000020000000000000230000000000000a', 'hex');
    plant('pg_wal/000000010000000000000002', Buffer.concat([page, header, mark.subarray(11), noise(5_000)]));
    expect(await found()).toEqual(['address | raw | wal pages']);
  });
});

describe('opens', () => {
  const text = Buffer.from(`${'filler '.repeat(50)}${address.value}${' filler'.repeat(50)}`);
  const cases: [string, string, Buffer, string][] = [
    ['a rotated log', 'a.log.1.gz', gzipSync(text), 'gzip'],
    ['two members of a gzip file', 'a.gz', Buffer.concat([gzipSync('first'), gzipSync(text)]), 'gzip'],
    ['a gzip part of a file', 'heap', Buffer.concat([noise(1_000), gzipSync(text), noise(1_000)]), 'gzip'],
    ['a zstd part of a file', 'heap', Buffer.concat([noise(1_000), zstdCompressSync(text), noise(1_000)]), 'zstd'],
    ['a zlib part of a file', 'heap', Buffer.concat([noise(1_000), deflateSync(text), noise(1_000)]), 'deflate'],
    [
      'what Elasticsearch compressed',
      'state',
      Buffer.concat([noise(1_000), Buffer.from('DFL\0'), deflateRawSync(text), noise(1_000)]),
      'raw deflate',
    ],
    ['gzip in gzip', 'a.gz', gzipSync(Buffer.concat([Buffer.from('x'), gzipSync(text)])), 'gzip > gzip'],
    [
      'a large gzip part',
      'heap',
      Buffer.concat([noise(7), gzipSync(Buffer.concat([noise(5_000_000), text]), { level: 1 })]),
      'gzip',
    ],
    [
      'a gzip-compressed record batch',
      'mail-events-0/00000000000000000000.log',
      recordBatch(gzipSync(text), 1),
      'kafka gzip',
    ],
    [
      'a zstd-compressed record batch',
      'x-0/00000000000000000042.log',
      recordBatch(zstdCompressSync(text), 4),
      'kafka zstd',
    ],
    [
      'a later record batch',
      'x-0/00000000000000000042.log.deleted',
      Buffer.concat([recordBatch(noise(90), 0), recordBatch(gzipSync(text), 1), Buffer.alloc(500)]),
      'kafka gzip',
    ],
    ['a deflated ZIP entry', 'a.zip', zip('a.txt', deflateRawSync(text), 8), 'zip'],
    ['a stored ZIP entry', 'a.zip', zip('a.txt', text, 0), ''],
  ];
  it.each(cases)('%s', async (_, name, content, layer) => {
    plant(name, content);
    expect(await found()).toContain(`address | raw | ${layer}`);
  });

  it('and says what it cannot open', async () => {
    plant('x-0/00000000000000000000.log', recordBatch(noise(80), 2));
    plant('y-0/00000000000000000000.log', recordBatch(noise(80), 3));
    plant('z-0/00000000000000000000.log', recordBatch(noise(80), 1));
    plant('w-0/00000000000000000000.log', noise(100));
    plant('cut.gz', gzipSync(noise(1_000)).subarray(0, 500));
    plant('a.zip', zip('a.txt', noise(50), 12));
    plant('b.zip', zip('a.txt', noise(50), 8, 1));
    plant('d.zip', Buffer.concat([Buffer.from('PK\x03\x04PK\x05\x06'), noise(18)]));
    plant('bomb', Buffer.concat([Buffer.from('..'), gzipSync(Buffer.alloc(3_000_000))]));
    const { unopened } = await scanFolders({ folders: [folder], needles, maxInflated: 1_000_000 });
    const said = unopened.map(({ file, reason }) => `${file.slice(folder.length + 1)}: ${reason}`);
    expect(said.toSorted()).toEqual([
      'a.zip: an entry is compressed with method 12',
      'b.zip: an entry is encrypted',
      'bomb: more than 1000000 octets',
      'cut.gz: Z_BUF_ERROR',
      'd.zip: cut off, or no archive',
      'w-0/00000000000000000000.log: no record batch of magic 2 at 0',
      'x-0/00000000000000000000.log: a record batch at 0 is compressed with snappy',
      'y-0/00000000000000000000.log: a record batch at 0 is compressed with lz4',
      'z-0/00000000000000000000.log: Z_BUF_ERROR',
    ]);
  });
});

describe('finds nothing', () => {
  it('where nothing is: other addresses, keyed hashes, noise, text', { timeout: 30_000 }, async () => {
    plant('noise', noise(5_000_000));
    plant('zero', Buffer.alloc(20_000_000));
    const close = 'temperror+q7Zk18@world.example ok@world.example the eagle lands at 7:41\r\n';
    plant('near.log', Buffer.from(close.repeat(1_000) + Buffer.from(close).toString('base64')));
    plant('near.gz', gzipSync(close));
    plant('keyed', createHmac('sha256', 'key').update(address.value).digest());
    plant('mail-events-0/00000000000000000000.log', recordBatch(gzipSync(close), 1));
    const report = await scan();
    expect(report).toMatchObject({ findings: [], unopened: [], files: 6 });
    expect(report.octets).toBeGreaterThan(25_000_000);
  });

  it('in base64 of another letter case', async () => {
    plant('row', Buffer.from(swapCase(Buffer.from(body.value).toString('base64'))));
    expect(await found()).toEqual([]);
  });
});

it('refuses needles that chance would find, folders that are not there, and stops counting at its limit', async () => {
  const only = (value: string) => scanFolders({ folders: [folder], needles: [{ name: 'n', value }] });
  await expect(only('a@b.c')).rejects.toThrow('Needle n has 5 octets; it must have 8 to 200.');
  await expect(only('x'.repeat(201))).rejects.toThrow('it must have 8 to 200');
  await expect(scanFolders({ folders: [folder], needles: [] })).rejects.toThrow('at least one needle');
  await expect(scanFolders({ folders: [join(folder, 'no')], needles })).rejects.toThrow('ENOENT');
  plant('many', Buffer.from(`${address.value} `.repeat(100)));
  expect((await scanFolders({ folders: [folder], needles, maxFindings: 7 })).findings).toHaveLength(7);
});

function inLines(text: string, length: number): string {
  return text.replaceAll(new RegExp(`.{${length}}`, 'g'), '$&\r\n');
}

function softBreaks(text: string): string {
  const middle = Math.floor(text.length / 6) * 3;
  return `${text.slice(0, 3)}=\r\n${text.slice(3, middle)}=\n${text.slice(middle)}`;
}

function encodedWords(value: string): string {
  const octets = Buffer.from(value);
  const words = [octets.subarray(0, 9), octets.subarray(9, 21), octets.subarray(21)];
  return words.map((word) => `=?utf-8?B?${word.toString('base64')}?=`).join('\r\n ');
}

function html(value: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return value.replaceAll(/[&<>"]/g, (one) => `&${names[one]};`);
}

function swapCase(text: string): string {
  return Array.from(text)
    .map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase()))
    .join('');
}
