import {
  GetBucketLifecycleConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  S3Client,
  type LifecycleRule,
} from '@aws-sdk/client-s3';
import { isUnavailable } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { createBodyStore, openBody, prepareBodyStore, type BodiesConfig, type BodyStore } from '../src/index.ts';
import { body, idOf, keep, KEY } from './support/bodies.ts';
import { bucketServer, bucketSettings, bucketWorld, ingestDatabase, type BucketWorld } from './support/worlds.ts';

const own = await bucketServer();
afterAll(() => own?.close());

const unavailable = expect.objectContaining({ name: 'BucketError', code: 'BUCKET_UNAVAILABLE' });
const nobody = async (): Promise<null> => null;

describe.skipIf(own === null)('a bucket of bodies', () => {
  const server = own?.server as NonNullable<typeof own>['server'];
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each.close();
  });
  const opened = <T extends { close(): Promise<void> }>(what: T): T => {
    open.push(what);
    return what;
  };
  const world = async (more: Record<string, string> = {}): Promise<BucketWorld> =>
    opened(await bucketWorld(inject('stores'), server, more));
  const storeOf = (config: BodiesConfig, more: Partial<BodiesConfig> = {}): BodyStore =>
    opened(createBodyStore({ ...config, ...more }));
  const withClient = async <T>(work: (client: S3Client) => Promise<T>): Promise<T> => {
    const { endpoint, owner } = server;
    const client = new S3Client({ endpoint, credentials: owner, region: 'us-east-1', forcePathStyle: true });
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  };
  const rulesOf = (Bucket?: string): Promise<LifecycleRule[]> =>
    withClient(
      async (client) => (await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules ?? [],
    );
  const setRules = (Bucket: string | undefined, Rules: LifecycleRule[]): Promise<unknown> =>
    withClient((client) =>
      client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } })),
    );
  const keepVersions = (Bucket?: string): Promise<unknown> =>
    withClient((client) =>
      client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
    );
  const rule = (change: Omit<LifecycleRule, 'Status'>): LifecycleRule => ({
    ID: 'theirs',
    Status: 'Enabled',
    ...change,
  });

  describe('what is put there', () => {
    it('is durable before the transaction: a killed server has it again', async () => {
      const { ingest, delivery, writer } = await world();
      const [large, small] = [body(Buffer.alloc(2_500_000, 'large')), body(Buffer.from('small'))];
      await keep(ingest, writer, [large, small]);
      await server.kill9();
      expect(await delivery.answers()).toBe(false);
      const away = (error: unknown): boolean => isUnavailable(error);
      await expect(ingest.prepare([body(Buffer.from('x'))])).rejects.toSatisfy(away);
      await expect(delivery.read(small.messageId, small.dropAt)).rejects.toSatisfy(away);
      await expect(ingest.count([small])).rejects.toSatisfy(away);
      await expect(ingest.shredMany(writer, [small])).rejects.toSatisfy(away);
      await expect(ingest.dropDue()).rejects.toSatisfy(away);
      await server.restart();
      expect(await until(() => delivery.answers(), 30_000)).toBe(true);
      for (const { messageId, dropAt, sealed } of [large, small]) {
        expect(Buffer.concat(sealed).equals(await delivery.read(messageId, dropAt))).toBe(true);
      }
    });

    it('cannot be committed without having been put, nor when it may be taken for an orphan', async () => {
      const { config, writer } = await world();
      const ingest = storeOf(config, { BODIES_S3_ORPHAN_MS: 1_000 });
      const [never, late] = [body(Buffer.from('never')), body(Buffer.from('late'))];
      await expect(ingest.insertMany(writer, [never])).rejects.toThrow('has to be prepared');
      await ingest.prepare([late]);
      expect(
        await until(
          () =>
            ingest.insertMany(writer, [late]).then(
              () => false,
              (error: unknown) => (error as { reason?: unknown }).reason === 'TooLateToCommit',
            ),
          10_000,
        ),
      ).toBe(true);
    });

    it('goes in batches, however many there are', async () => {
      const { ingest, writer } = await world();
      const [first, last] = [body(Buffer.from('first')), body(Buffer.from('last'))];
      await keep(ingest, writer, [first, last]);
      const between = Array.from({ length: 1_500 }, () => ({ ...first, messageId: idOf(Date.now()) }));
      await ingest.discard([first, ...between, last]);
      expect(await ingest.count([first, last])).toBe(0);
    });

    it('may be read by who may only read, and nothing else', async () => {
      const { ingest, delivery, writer } = await world();
      const kept = body(Buffer.from('kept'));
      await keep(ingest, writer, [kept]);
      await expect(delivery.prepare([body(Buffer.from('x'))])).rejects.toThrow(unavailable);
      await expect(delivery.shredMany(writer, [kept])).rejects.toThrow(unavailable);
      expect(openBody(KEY, kept.messageId, await delivery.read(kept.messageId, kept.dropAt)).toString()).toBe('kept');
    });

    it('is not forgotten because the bucket is another, or is gone', async () => {
      const { config, writer } = await world();
      const elsewhere = storeOf(config, { BODIES_S3_BUCKET: 'nobody-made-this' });
      const { messageId, dropAt } = body(Buffer.from('x'));
      await expect(elsewhere.read(messageId, dropAt)).rejects.toThrow(unavailable);
      await expect(elsewhere.count([{ messageId, dropAt }])).rejects.toThrow(unavailable);
      await expect(elsewhere.shredMany(writer, [{ messageId, dropAt }])).rejects.toThrow(unavailable);
      expect(await elsewhere.answers()).toBe(false);
    });
  });

  describe('what nobody committed', () => {
    it('goes once it is old enough, and only that', async () => {
      const { config, writer } = await world();
      const ingest = storeOf(config, { BODIES_S3_ORPHAN_MS: 60_000 });
      const [kept, orphan] = [body(Buffer.from('kept')), body(Buffer.from('orphan'))];
      await keep(ingest, writer, [kept]);
      await ingest.prepare([orphan]);
      const asked: string[] = [];
      const known = async (ids: readonly string[]): Promise<Set<string>> => {
        asked.push(...ids);
        return new Set([kept.messageId]);
      };
      expect(await ingest.dropOrphans(known), 'too young').toBe(0);
      expect(asked).toEqual([]);
      const sweeper = storeOf(config, { BODIES_S3_ORPHAN_MS: 1_000 });
      let dropped = 0;
      expect(await until(async () => (dropped += await sweeper.dropOrphans(known)) === 1, 20_000)).toBe(true);
      expect(await ingest.count([orphan])).toBe(0);
      expect(await ingest.count([kept])).toBe(1);
      // Both were looked at, once each.
      expect(await until(async () => (await sweeper.dropOrphans(known), asked.includes(kept.messageId)), 20_000)).toBe(
        true,
      );
      expect(asked.toSorted()).toEqual([kept.messageId, orphan.messageId].toSorted());
    });
  });

  describe('that does not forget', () => {
    it('is refused at the start and while it runs: nothing more is put there', async () => {
      const { config, database, ingest, writer } = await world();
      await keep(ingest, writer, [body(Buffer.from('x'))]);
      await keepVersions(config.BODIES_S3_BUCKET);
      await expect(prepareBodyStore(config, database.url, nobody)).rejects.toThrow(
        'The bucket keeps versions (Enabled)',
      );
      await expect(ingest.makeAhead()).rejects.toThrow(expect.objectContaining({ reason: 'KeepsVersions' }));
      const refused = body(Buffer.from('refused'));
      await expect(ingest.prepare([refused])).rejects.toSatisfy(isUnavailable);
      expect(await ingest.count([refused])).toBe(0);
      expect(await ingest.answers()).toBe(false);
    });

    it('by itself is given a rule that does, beside those that are there', async () => {
      const { config, database, ingest } = await world();
      expect(await rulesOf(config.BODIES_S3_BUCKET)).toEqual([
        expect.objectContaining({ Status: 'Enabled', Filter: { Prefix: 'bodies/' }, Expiration: { Days: 6 } }),
        expect.objectContaining({ Status: 'Enabled', Filter: { Prefix: 'instructed/' }, Expiration: { Days: 29 } }),
      ]);
      await setRules(config.BODIES_S3_BUCKET, [rule({ Filter: { Prefix: 'other/' }, Expiration: { Days: 1 } })]);
      await expect(ingest.makeAhead()).rejects.toThrow(expect.objectContaining({ reason: 'RuleIsMissing' }));
      await prepareBodyStore(config, database.url, nobody);
      const ids = new Set((await rulesOf(config.BODIES_S3_BUCKET)).map(({ ID }) => ID));
      expect(ids).toEqual(new Set(['lethe-bodies', 'lethe-instructed', 'theirs']));
      await ingest.makeAhead();
      const day = 24 * 3_600_000;
      expect(ingest.longestMs).toEqual({ body: 6 * day, instructed: 29 * day });
    });

    it.each<[string, number, Omit<LifecycleRule, 'Status'>]>([
      ['all of it', 6, { Filter: { Prefix: '' }, Expiration: { Days: 5 } }],
      ['some of it', 6, { Filter: { Prefix: 'bodies/2' }, Expiration: { Days: 1 } }],
      ['what is kept by an instruction', 29, { Filter: { Prefix: '' }, Expiration: { Days: 6 } }],
    ])('or forgets %s too early, is refused', async (_, days, early) => {
      const { config, database } = await world();
      await setRules(config.BODIES_S3_BUCKET, [...(await rulesOf(config.BODIES_S3_BUCKET)), rule(early)]);
      await expect(prepareBodyStore(config, database.url, nobody)).rejects.toThrow(`in less than ${days} days`);
    });
  });

  describe('belongs to one installation', () => {
    it('whose it stays, and to nobody else', async () => {
      const { config, database } = await world();
      await prepareBodyStore(config, database.url, nobody);
      const other = opened(await ingestDatabase(inject('stores')));
      await expect(prepareBodyStore(config, other.database.url, nobody)).rejects.toThrow(
        'used by another installation',
      );
      const others = bucketSettings(server);
      await prepareBodyStore(others, other.database.url, nobody);
      await expect(prepareBodyStore(others, database.url, nobody)).rejects.toThrow('is not the one');
      await expect(prepareBodyStore(bucketSettings(server), database.url, nobody)).rejects.toThrow('NoSuchBucket');
    });

    it('for as long as it has messages there, and until it has some elsewhere', async () => {
      const { config, database } = await world();
      const last = new Date(Date.now() + 1_000);
      const kept = async (): Promise<Date> => last;
      const inPostgres = { ...config, BODY_STORE: 'postgres' as const };
      await expect(prepareBodyStore(inPostgres, database.url, kept)).rejects.toThrow(last.toISOString());
      await prepareBodyStore(config, database.url, kept);
      await prepareBodyStore(inPostgres, database.url, nobody);
      await prepareBodyStore(inPostgres, database.url, kept);
      await expect(prepareBodyStore(config, database.url, kept)).rejects.toThrow(last.toISOString());
    });

    it('that says which variable is missing, and that the bucket is away', async () => {
      const config = bucketSettings(server);
      const { database } = opened(await ingestDatabase(inject('stores')));
      expect(() => createBodyStore({ ...config, BODIES_S3_BUCKET: undefined })).toThrow('BODIES_S3_BUCKET: missing');
      expect(() => createBodyStore({ ...config, BODY_STORE: 'postgres' })).toThrow('BODIES_URL: missing');
      const away = { ...config, BODIES_S3_ENDPOINT: 'http://127.0.0.1:9' };
      await expect(prepareBodyStore(away, database.url, nobody)).rejects.toThrow('Check BODIES_S3_ENDPOINT');
    });
  });

  it('knows of no oldest body where there is none', async () => {
    const { ingest } = await world();
    expect(await ingest.oldest()).toEqual({ body: null, instructed: null });
  });
});
