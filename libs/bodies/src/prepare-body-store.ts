import { randomUUID } from 'node:crypto';
import { StartupError } from '@lethe/service';
import { Client } from 'pg';
import { bucketOptions, type BucketConfig } from './bodies.config.ts';
import { migrateBodies } from './postgres/migrate.ts';
import { dropDue } from './postgres/partitions.ts';
import { BucketError } from './s3/bucket-error.ts';
import { ensureRules, unfitness } from './s3/bucket-rules.ts';
import { Bucket } from './s3/bucket.ts';
import { claimBucket } from './s3/claim.ts';

const IN_POSTGRES = 'bodies: postgres';
const IN_BUCKET = 'bodies: s3 claim ';
/** The bucket may have the claim already. */
const CLAIMING = 'bodies: s3 claiming ';

/**
 * Before ingest starts: the store is as this version wants it, and it is the one that bodies of messages are in that still wait or may
 * be read. `url`: the database of ingest, as its owner. `kept`: until when the last of these messages is kept; null without any.
 * @throws StartupError saying what to do.
 */
export async function prepareBodyStore(
  config: BucketConfig,
  url: string,
  kept: (client: Client) => Promise<Date | null>,
): Promise<void> {
  await migrateBodies(url);
  const client = new Client({ connectionString: url, application_name: 'lethe-bodies-prepare' });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('lethe bodies store'))`);
    const former = await storeOf(client);
    const claim = former.startsWith(IN_BUCKET) ? former.slice(IN_BUCKET.length) : undefined;
    const until = (claim === undefined ? 'postgres' : 's3') === config.BODY_STORE ? null : await kept(client);
    if (until !== null) {
      throw new StartupError(
        `BODY_STORE cannot change while messages are kept: the last one goes at ${until.toISOString()}. Leave it as it was, or wait without accepting mail.`,
      );
    }
    if (config.BODY_STORE === 'postgres') {
      await note(client, IN_POSTGRES);
      return;
    }
    // Nobody else drops them from now on.
    await dropDue(client);
    const made = claim ?? (former.startsWith(CLAIMING) ? former.slice(CLAIMING.length) : randomUUID());
    if (claim === undefined) await note(client, `${CLAIMING}${made}`);
    await prepareBucket(config, made, claim === undefined);
    await note(client, `${IN_BUCKET}${made}`);
  } finally {
    await client.end();
  }
}

async function prepareBucket(config: BucketConfig, claim: string, fresh: boolean): Promise<void> {
  const bucket = new Bucket(bucketOptions(config));
  try {
    if (fresh && !(await bucket.exists())) await bucket.create();
    await claimBucket(bucket, claim, fresh);
    await ensureRules(bucket);
    const unfit = await unfitness(bucket);
    if (unfit) throw new StartupError(unfit.advice);
  } catch (error) {
    if (!(error instanceof BucketError)) throw error;
    throw new StartupError(
      `${error.message}. Check BODIES_S3_ENDPOINT, BODIES_S3_BUCKET and the rights of the access key.`,
    );
  } finally {
    bucket.close();
  }
}

/** Noted beside the schema that holds bodies, or would. */
async function storeOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ store: string | null }>(
    `select obj_description('bodies'::regnamespace, 'pg_namespace') as store`,
  );
  return rows[0]?.store ?? IN_POSTGRES;
}

async function note(client: Client, store: string): Promise<void> {
  await client.query(`comment on schema bodies is ${client.escapeLiteral(store)}`);
}
