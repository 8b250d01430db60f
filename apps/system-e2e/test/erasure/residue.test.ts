import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  basic,
  form,
  kafkaAdmin,
  scanFolders,
  scanRows,
  sendMessage,
  startStores,
  startSuitePlatform,
  until,
  withClient,
  type Finding,
  type Needle,
  type RunningStores,
  type SuitePlatform,
} from '@lethe/testing';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Everything that tells who somebody is or what was written to them, of every message sent here. */
const needles: Needle[] = [];
/** Recipients that are refused for now, hence wait. */
const waiting: string[] = [];

let dir: string;
let stores: RunningStores;
let suite: SuitePlatform;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lethe-residue-stores-'));
  stores = await startStores({ dir, shortLived: true });
  suite = await startSuitePlatform({
    stores: stores.stores,
    suite: 'residue',
    ownStores: true,
    settings: { RETRY_DELAYS: '300ms,1h', RETRY_POLL_MS: '100', LOG_LEVEL: 'debug' },
    world: { greylistMs: 3_600_000 },
  });
});

afterAll(async () => {
  await suite?.stop();
  await stores?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A text like no other, to be looked for under `name`. */
function mark(name: string, text: (unique: string) => string): string {
  const value = text(randomBytes(5).toString('hex'));
  needles.push({ name, value });
  return value;
}

function person(message: string, role: string, local: string): string {
  const address = mark(`${message}: ${role}'s address`, (unique) => `${local}+${unique}@world.example`);
  if (!local.startsWith('ok')) waiting.push(address);
  return `${mark(`${message}: ${role}'s name`, (unique) => `Näme ${unique}`)} <${address}>`;
}

const sender = (message: string): string => {
  const address = mark(`${message}: sender`, (unique) => `from.${unique}@${suite.demo.domain}`);
  return `${mark(`${message}: sender's name`, (unique) => `Sender ${unique}`)} <${address}>`;
};
const subjectOf = (message: string): string =>
  mark(`${message}: subject`, (unique) => `Ihr Befund: ${unique} “positiv”`);
const textOf = (message: string): string => mark(`${message}: text`, (unique) => `the eagle ${unique} lands at noon`);

function options(message: string): Record<string, string> {
  return {
    'o:tag': mark(`${message}: tag`, (unique) => `tag-${unique}`),
    'v:order': mark(`${message}: variable`, (unique) => `order ${unique}`),
    'v:nested': JSON.stringify({ deep: [mark(`${message}: nested variable`, (unique) => `ward ${unique}`)] }),
  };
}

async function sendForm(message: string, people: Record<'to' | 'cc' | 'bcc', string[]>): Promise<void> {
  const body = form({
    from: sender(message),
    ...people,
    subject: subjectOf(message),
    text: `Hello,\n\n${textOf(message)}.\n`,
    html: `<p>${mark(`${message}: html`, (unique) => `<b>${unique}</b> & more`)}</p>`,
    'h:Reply-To': mark(`${message}: reply-to`, (unique) => `reply.${unique}@elsewhere.example`),
    'h:X-Case': mark(`${message}: header`, (unique) => `case ${unique}`),
    ...options(message),
  });
  const content = mark(`${message}: attachment`, (unique) => `attached ${unique}\n`);
  body.append(
    'attachment',
    new Blob([content]),
    mark(`${message}: file name`, (unique) => `befund-${unique}.txt`),
  );
  const response = await sendMessage(suite.platform.gateway, suite.demo, body);
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Queued')]);
}

async function sendMime(message: string, people: Record<'to' | 'cc' | 'bcc', string[]>): Promise<void> {
  const content = mark(`${message}: attachment`, (unique) => `attached ${unique}\n`);
  const lines = [
    `From: ${sender(message)}`,
    `To: ${people.to.join(', ')}`,
    ...(people.cc.length > 0 ? [`Cc: ${people.cc.join(', ')}`] : []),
    ...(people.bcc.length > 0 ? [`Bcc: ${people.bcc.join(', ')}`] : []),
    `Reply-To: ${mark(`${message}: reply-to`, (unique) => `reply.${unique}@elsewhere.example`)}`,
    `Subject: ${subjectOf(message)}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    textOf(message),
    '--b',
    `Content-Disposition: attachment; filename="${mark(`${message}: file name`, (unique) => `befund-${unique}.txt`)}"`,
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(content).toString('base64'),
    '--b--',
    '',
  ];
  const body = form({ to: [...people.to, ...people.cc, ...people.bcc].map(bare), ...options(message) });
  body.append('message', new Blob([lines.join('\r\n')]), 'message.eml');
  const response = await fetch(`${suite.platform.gateway}/v3/${suite.demo.domain}/messages.mime`, {
    method: 'POST',
    headers: { authorization: basic(suite.demo.apiKey) },
    body,
  });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Queued')]);
}

const bare = (mailbox: string): string => mailbox.slice(mailbox.indexOf('<') + 1, -1);

/** Kafka's and both PostgreSQLs' files and rows, and everything anybody logs: only the search index may hold clear text. */
async function findings(wanted: readonly Needle[]): Promise<Finding[]> {
  const { data, logs, postgres, vault } = stores.stores;
  const folders = [data.kafka, data.postgres, data.vault, ...Object.values(logs), dirname(suite.platform.logDir)];
  const files = await scanFolders({ folders, needles: wanted });
  const rows = await scanRows({ adminUrls: [postgres.adminUrl, vault.adminUrl], needles: wanted });
  expect([...files.unopened, ...rows.unopened]).toEqual([]);
  const [octets, tables] = [(files.octets / 2 ** 20).toFixed(0), rows.files];
  console.log(`looked for ${wanted.length} marks in ${files.files} files (${octets} MiB) and ${tables} tables`);
  return [...files.findings, ...rows.findings];
}

async function writeOut(): Promise<void> {
  for (const { adminUrl } of [stores.stores.postgres, stores.stores.vault]) {
    await withClient(adminUrl, async (client) => {
      await client.query('SELECT pg_switch_wal()');
      await client.query('CHECKPOINT');
    });
  }
}

const queue = (text: string) =>
  withClient(
    stores.stores.postgres.urls.delivery,
    async (client) => (await client.query<{ n: number }>(text)).rows[0]?.n,
  );

describe('while messages are deferred', () => {
  beforeAll(async () => {
    await sendForm('form', { to: [person('form', 'to', 'temperror')], cc: [], bcc: [] });
    await sendForm('form to many', {
      to: [person('form to many', 'to', 'Temperror'), person('form to many', 'other to', 'ok')],
      cc: [person('form to many', 'cc', 'greylist')],
      bcc: [person('form to many', 'bcc', 'temperror')],
    });
    await sendMime('mime', { to: [person('mime', 'to', 'greylist')], cc: [], bcc: [] });
    await sendMime('mime to many', {
      to: [person('mime to many', 'to', 'temperror'), person('mime to many', 'other to', 'ok')],
      cc: [person('mime to many', 'cc', 'Greylist')],
      bcc: [person('mime to many', 'bcc', 'temperror')],
    });
    // Two attempts made, the third in an hour.
    const settled = 'SELECT count(*)::int AS n FROM deferred WHERE attempt = 3 AND NOT started';
    if (!(await until(async () => (await queue(settled)) === waiting.length, 20_000)))
      throw new Error(`not all of ${waiting.length} wait`);
  }, 60_000);

  it('nobody else waits, and nobody who should not has got anything', async () => {
    expect(await queue('SELECT count(*)::int AS n FROM deferred')).toBe(waiting.length);
    const messages = (await (await fetch(`${suite.world.http}/messages`)).json()) as { to: string[] }[];
    const others = needles.filter(({ value }) => value.startsWith('ok+')).map(({ value }) => value);
    expect(messages.flatMap(({ to }) => to).toSorted()).toEqual(others.toSorted());
  });

  it('every address is searchable, and clear in the search index alone', async () => {
    const addresses = needles.filter(({ value }) => waiting.includes(value));
    const inIndex = async () => {
      const report = await scanFolders({ folders: [stores.stores.data.elasticsearch], needles: addresses });
      return new Set(report.findings.map(({ needle }) => needle));
    };
    expect(await until(async () => (await inIndex()).size === waiting.length, 15_000, 500)).toBe(true);
  });

  it('no file of Kafka or PostgreSQL, no row and no log holds any of them', async () => {
    expect(await findings(needles)).toEqual([]);
    await writeOut();
    expect(await findings(needles)).toEqual([]);
  });

  it('the same scan finds what is planted', async () => {
    const [inRow, inLong, inDeleted, inVault, inRecord, inGzip, inLog] = [
      'a row',
      'a compressed value',
      'a deleted row',
      'the vault',
      'a record',
      'a gzip batch',
      'a log',
    ].map((place): Needle => ({ name: place, value: `temperror+${randomBytes(5).toString('hex')}@world.example` })) as [
      Needle,
      Needle,
      Needle,
      Needle,
      Needle,
      Needle,
      Needle,
    ];
    const planted = [inRow, inLong, inDeleted, inVault, inRecord, inGzip, inLog];
    const { postgres, vault, kafka } = stores.stores;

    await withClient(postgres.adminUrl, async (client) => {
      await client.query('CREATE TABLE scratch (t text, b bytea)');
      await client.query('INSERT INTO scratch (t) VALUES ($1)', [`it says ${inRow.value}.`]);
      await client.query('INSERT INTO scratch (t) VALUES ($1)', [`${'again and '.repeat(2_000)}${inLong.value}`]);
      await client.query('INSERT INTO scratch (b) VALUES ($1)', [Buffer.from(inDeleted.value, 'utf16le')]);
      await client.query('DELETE FROM scratch WHERE b IS NOT NULL');
    });
    await withClient(vault.adminUrl, (client) => {
      return client.query(`CREATE TABLE scratch AS SELECT encode(sha256($1::text::bytea), 'hex') AS h`, [
        inVault.value,
      ]);
    });
    await kafkaAdmin(kafka.brokers, kafka.admin)((admin) => admin.createTopics({ topics: [{ topic: 'scratch' }] }));
    const producer = new Kafka({
      brokers: kafka.brokers,
      sasl: { mechanism: 'scram-sha-512', ...kafka.admin },
      logLevel: logLevel.NOTHING,
    }).producer();
    await producer.connect();
    await producer.send({ topic: 'scratch', messages: [{ key: inRecord.value, value: 'x' }] });
    const filler = JSON.stringify({ to: encodeURIComponent(inGzip.value), filler: 'again and '.repeat(100) });
    await producer.send({ topic: 'scratch', compression: CompressionTypes.GZIP, messages: [{ value: filler }] });
    await producer.disconnect();
    appendFileSync(
      join(suite.platform.logDir, 'gateway.log'),
      `{"msg":"${Buffer.from(`Cc: ${inLog.value}`).toString('base64')}"}\n`,
    );
    await writeOut();

    const found = await findings([...needles, ...planted]);
    const of = ({ name }: Needle) => [
      ...new Set(found.filter(({ needle }) => needle === name).map(({ variant, layer }) => `${variant} | ${layer}`)),
    ];
    expect(of(inRow)).toEqual(expect.arrayContaining(['raw | ', 'raw | rows']));
    expect(of(inLong)).toContain('raw | rows');
    expect(of(inDeleted)).toContain('utf-16le | ');
    expect(of(inVault)).toEqual(expect.arrayContaining(['sha256 hex | ', 'sha256 hex | rows']));
    expect(of(inRecord)).toContain('raw | ');
    expect(of(inGzip)).toContain('percent-encoded | kafka gzip');
    expect(of(inLog)).toContain('base64 | ');
    expect(found.filter(({ needle }) => !planted.some(({ name }) => name === needle))).toEqual([]);
  });
});
