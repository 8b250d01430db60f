import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
  type LifecycleRule,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { Semaphore } from '@lethe/service';
import { BucketError } from './bucket-error.ts';

export interface BucketOptions {
  bucket: string;
  /** Of a server other than Amazon's. */
  endpoint?: string | undefined;
  region: string;
  /** Undefined: as the SDK finds them in the environment of the process (a role of the pod, an instance). */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** `endpoint/bucket/key` rather than `bucket.endpoint/key`. */
  pathStyle: boolean;
  /** Requests at once. */
  requests: number;
  /** Calls that wait for their turn at most; more are refused with OverloadedError. Default 10,000. */
  queued?: number | undefined;
  /** How long one call may take, repetitions included, in milliseconds. Default 10,000. */
  timeoutMs?: number | undefined;
}

/** What S3 deletes with one request at most. */
export const MOST_KEYS = 1_000;

export interface Listed {
  key: string;
  lastModified: Date;
}

/** One bucket, as far as bodies need it. Every call is bounded in time and number, and fails with BucketError. */
export class Bucket {
  private readonly client: S3Client;
  private readonly turns: Semaphore;
  private readonly timeoutMs: number;
  readonly name: string;

  constructor(options: BucketOptions) {
    const { bucket, endpoint, region, credentials, pathStyle, requests, queued = 10_000, timeoutMs = 10_000 } = options;
    this.name = bucket;
    this.timeoutMs = timeoutMs;
    this.turns = new Semaphore(requests, queued);
    const agent = { keepAlive: true, maxSockets: requests };
    this.client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint ? { endpoint } : {}),
      ...(credentials ? { credentials } : {}),
      requestHandler: {
        connectionTimeout: timeoutMs,
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: timeoutMs,
        httpAgent: agent,
        httpsAgent: agent,
      },
      // Others' servers do not know the newer checksums; a body is authenticated by its seal.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(key: string, content: () => Buffer): Promise<void> {
    await this.call((abortSignal) =>
      this.client.send(
        new PutObjectCommand({ Bucket: this.name, Key: key, Body: content(), ContentType: 'application/octet-stream' }),
        { abortSignal },
      ),
    );
  }

  /**
   * Some octets of an object (all without a range), and how long it is; undefined: there is none. Who may not list the bucket is
   * told that they may not read, where there is nothing: that is an error, and never "none".
   */
  async get(key: string, range?: { from: number; to: number }): Promise<{ octets: Buffer; size: number } | undefined> {
    return this.call(async (abortSignal) => {
      try {
        const { Body, ContentRange } = await this.client.send(
          new GetObjectCommand({
            Bucket: this.name,
            Key: key,
            ...(range ? { Range: `bytes=${range.from}-${range.to}` } : {}),
          }),
          { abortSignal },
        );
        const read = await Body?.transformToByteArray();
        if (read === undefined) throw new BucketError(0, 'empty');
        const octets = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
        const size = Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? octets.length);
        return { octets, size };
      } catch (error) {
        if ((error as { name?: unknown }).name === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  /** Whether or not they are there. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += MOST_KEYS) {
      const some = keys.slice(from, from + MOST_KEYS);
      await this.call(async (abortSignal) => {
        const Delete = { Quiet: true, Objects: some.map((Key) => ({ Key })) };
        const { Errors = [] } = await this.client.send(new DeleteObjectsCommand({ Bucket: this.name, Delete }), {
          abortSignal,
        });
        const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
        if (failed) throw new BucketError(200, 'NotDeleted');
      });
    }
  }

  /** In order of keys, `most` of them at most. */
  async list(prefix: string, options: { after?: string | undefined; most?: number } = {}): Promise<Listed[]> {
    const { Contents = [] } = await this.call((abortSignal) =>
      this.client.send(
        new ListObjectsV2Command({
          Bucket: this.name,
          Prefix: prefix,
          MaxKeys: options.most ?? MOST_KEYS,
          ...(options.after === undefined ? {} : { StartAfter: options.after }),
        }),
        { abortSignal },
      ),
    );
    return Contents.map(({ Key = '', LastModified = new Date() }) => ({ key: Key, lastModified: LastModified }));
  }

  /** What follows `prefix` up to the next slash, each once, in order. */
  async folders(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const page: ListObjectsV2CommandOutput = await this.call((abortSignal) =>
        this.client.send(
          new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, Delimiter: '/', ContinuationToken: token }),
          { abortSignal },
        ),
      );
      found.push(...(page.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []));
      token = page.NextContinuationToken;
    }
    return found;
  }

  /** Whether it is there and may be listed. */
  async exists(): Promise<boolean> {
    try {
      await this.call((abortSignal) => this.client.send(new HeadBucketCommand({ Bucket: this.name }), { abortSignal }));
      return true;
    } catch (error) {
      if (error instanceof BucketError && error.status === 404) return false;
      throw error;
    }
  }

  async create(): Promise<void> {
    await this.call((abortSignal) => this.client.send(new CreateBucketCommand({ Bucket: this.name }), { abortSignal }));
  }

  /** Undefined: it never kept versions, or its server knows of none. */
  async versioning(): Promise<string | undefined> {
    try {
      const { Status } = await this.call((abortSignal) =>
        this.client.send(new GetBucketVersioningCommand({ Bucket: this.name }), { abortSignal }),
      );
      return Status;
    } catch (error) {
      if (error instanceof BucketError && error.reason === 'NotImplemented') return undefined;
      throw error;
    }
  }

  async rules(): Promise<LifecycleRule[]> {
    try {
      const { Rules = [] } = await this.call((abortSignal) =>
        this.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: this.name }), { abortSignal }),
      );
      return Rules;
    } catch (error) {
      if (error instanceof BucketError && error.reason === 'NoSuchLifecycleConfiguration') return [];
      throw error;
    }
  }

  /** All of them: what is not given is removed. */
  async setRules(rules: LifecycleRule[]): Promise<void> {
    await this.call((abortSignal) =>
      this.client.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket: this.name,
          LifecycleConfiguration: { Rules: rules },
        }),
        { abortSignal },
      ),
    );
  }

  close(): void {
    this.client.destroy();
  }

  /** OverloadedError before it has begun. */
  private call<T>(work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    return this.turns.run(async () => {
      try {
        return await work(AbortSignal.timeout(this.timeoutMs));
      } catch (error) {
        throw BucketError.from(error);
      }
    });
  }
}
