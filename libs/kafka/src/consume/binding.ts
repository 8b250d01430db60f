import type { Topic } from '@lethe/contracts';
import { Batcher } from '@lethe/service';
import type { ConsumedRecord } from '../records/record.ts';
import type { Outcome } from './outcome.ts';

export interface ConsumeOptions {
  /** Group id is `<service>-<group>`; the topic's name if absent. */
  group?: string;
  /** Records handled at once, over all partitions of this process. */
  concurrency?: number;
  /**
   * Make durable what is handed out before handing it out, so that after a crash exactly what may have been in flight
   * comes again, with `maybeDuplicate`. Costs one commit round trip of latency. Leave it off where a repetition is harmless.
   */
  claims?: boolean;
  /** Types (`ce_type`) that are done at once, unread: for a handler of the rare ones among many. Unknown ones are not among them. */
  passOver?: readonly string[];
  /**
   * Fetch no sooner than this long after a fetch that brought records, in ms: where they may come later, many at a time. Otherwise every
   * produce call is answered by a fetch, which costs as much.
   */
  paceMs?: number;
  /** After this long unfinished, `spill` is asked to take the record over. */
  spillAfterMs?: number;
  /** Gather records of all partitions and hand them to the handler as an array. */
  batch?: BatchOptions;
}

export interface BatchOptions {
  records: number;
  lingerMs: number;
  /** Batches handled at once. */
  parallel: number;
}

export type RecordHandler<T extends Topic = Topic> = (record: ConsumedRecord<T>) => Promise<Outcome>;
/** One outcome per record, in order. */
export type BatchHandler<T extends Topic = Topic> = (records: ConsumedRecord<T>[]) => Promise<Outcome[]>;
/** Takes over an unfinished record durably and answers true; false: not now, ask again later. */
export type SpillHandler<T extends Topic = Topic> = (record: ConsumedRecord<T>) => Promise<boolean>;

/** A topic and who handles it. */
export interface Binding {
  topic: Topic;
  /** `Class.method`, for messages about it. */
  name: string;
  group: string;
  concurrency: number;
  claims: boolean;
  passOver: ReadonlySet<string>;
  paceMs: number;
  spillAfterMs: number;
  handle: RecordHandler;
  spill: SpillHandler | undefined;
}

const SPILL_AFTER_MS = 10_000;
const CONCURRENCY = 64;

/** Fills in defaults and turns a batch handler into a record handler. */
export function bind<T extends Topic>(input: {
  topic: T;
  name: string;
  options: ConsumeOptions;
  /** A `BatchHandler` exactly if `options.batch` is set. */
  handle: RecordHandler<T> | BatchHandler<T>;
  spill?: SpillHandler<T> | undefined;
}): Binding {
  // What a handler is called with has passed its own topic's contract; below here only that link is known.
  const { topic, name, options, handle, spill } = input as Parameters<typeof bind<Topic>>[0];
  const { group = topic.name, claims = false, paceMs = 0, spillAfterMs = SPILL_AFTER_MS, batch } = options;
  const passOver = new Set(options.passOver);
  const common = { topic, name, group, claims, passOver, paceMs, spillAfterMs, spill };
  if (!batch) return { ...common, concurrency: options.concurrency ?? CONCURRENCY, handle: handle as RecordHandler };
  // One batch more than run at once may gather meanwhile.
  const concurrency = batch.records * (batch.parallel + 1);
  return { ...common, concurrency, handle: gather(batch, handle as BatchHandler) };
}

function gather(options: BatchOptions, handle: BatchHandler): RecordHandler {
  const { records, lingerMs, parallel } = options;
  const batcher = new Batcher<ConsumedRecord, Outcome>(
    { maxItems: records, lingerMs, maxQueued: records * (parallel + 1), concurrency: parallel },
    (gathered) => handle(gathered),
  );
  return (record) => batcher.add(record);
}
