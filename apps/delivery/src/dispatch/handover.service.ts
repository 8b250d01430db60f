import { Injectable } from '@nestjs/common';
import type { MailAccepted } from '@lethe/contracts';
import { DeferredRepository } from '../deferred/deferred.repository.ts';

/** A record whose attempt is under way. */
export interface Work {
  takenOver(): boolean;
  /** Resolves when the queue has the record; never if it does not take it. */
  readonly moved: Promise<void>;
  /** The attempt is over and its outcome is to be kept. Answers whether the queue holds the record now. */
  end(): Promise<boolean>;
  /** The outcome is kept. */
  concluded(): void;
  /** Whatever became of it, this call is over. */
  leave(): void;
}

interface AtWork {
  record: MailAccepted;
  maybeDuplicate: boolean;
  /** The attempt is over and its outcome is being kept: too late to take anything over. */
  over: boolean;
  row?: Promise<void>;
  moved: PromiseWithResolvers<void>;
}

/** A rejoin gives back what a window held at most, some partitions of it. */
const REMEMBERED = 50_000;

const keyOf = ({ messageId, ordinal }: MailAccepted): string => `${messageId}/${ordinal}`;

/**
 * Moves a record that takes too long from Kafka into the deferred queue, so that the partition's watermark can go on. An
 * attempt under way is not sent twice by that: its row is leased to it until it ends, and says that it began.
 */
@Injectable()
export class HandoverService {
  private readonly atWork = new Map<string, AtWork>();
  private readonly queueing = new Map<string, Promise<void>>();
  /** Concluded here of late, oldest first. */
  private readonly recent = new Set<string>();
  /** Perhaps queued: that they are was not answered. Oldest first. */
  private readonly uncertain = new Set<string>();

  constructor(private readonly deferred: DeferredRepository) {}

  /** Whether an attempt at the record is under way: the same record can be in the topic twice (a relay repeats itself). */
  busy(record: MailAccepted): boolean {
    return this.atWork.has(keyOf(record));
  }

  /** Whether the record's attempt is under way and its row leased to it. */
  holds(record: MailAccepted): boolean {
    return this.atWork.get(keyOf(record))?.row !== undefined;
  }

  /** Records whose attempts are under way and whose rows are leased to them. */
  held(): MailAccepted[] {
    return [...this.atWork.values()].filter(({ row }) => row !== undefined).map(({ record }) => record);
  }

  /**
   * Whether the outcome of the record is kept already: it comes again when its partition was lost before the offset moved, or
   * when it is in the topic twice. Without this it would be sent again, marked.
   */
  wasConcluded(record: MailAccepted): boolean {
    return this.recent.has(keyOf(record));
  }

  /** Whether the queue may have taken the record and sent it without our knowing: a copy of ours could be the second one. */
  mayBeQueued(record: MailAccepted): boolean {
    return this.uncertain.has(keyOf(record));
  }

  /** The outcome of an attempt of the queue's is kept. */
  concluded(record: MailAccepted): void {
    this.remember(keyOf(record));
  }

  /** A record's attempt begins. */
  begin(record: MailAccepted, maybeDuplicate: boolean): Work {
    const key = keyOf(record);
    const work: AtWork = { record, maybeDuplicate, over: false, moved: Promise.withResolvers() };
    this.atWork.set(key, work);
    return {
      takenOver: () => work.row !== undefined,
      moved: work.moved.promise,
      end: () => {
        work.over = true;
        return succeeded(work.row);
      },
      concluded: () => this.remember(key),
      leave: () => this.atWork.delete(key),
    };
  }

  /** Whether the record is going to the queue, or just has, between two of its attempts. */
  moved(record: MailAccepted): Promise<boolean> {
    return succeeded(this.queueing.get(keyOf(record)));
  }

  /** Resolves once the queue has the record; false if its attempt has just ended. */
  async takeOver(record: MailAccepted, partition: number, handedOut: boolean): Promise<boolean> {
    const key = keyOf(record);
    const maybeDuplicate = handedOut || this.uncertain.has(key);
    // The queue may have it from a process that died: what it knows is newer.
    if (maybeDuplicate && (await this.deferred.has(record))) return true;
    const work = this.atWork.get(key);
    if (work?.over) return false;
    const attempt = { record, partition, attempt: 1, maybeDuplicate: work?.maybeDuplicate ?? maybeDuplicate };
    const queueing = work ? this.deferred.hold(attempt) : this.deferred.put(attempt, Date.now());
    if (work) work.row = queueing;
    else this.queueing.set(key, queueing);
    try {
      await queueing;
    } catch (error) {
      note(this.uncertain, key);
      throw error;
    } finally {
      if (!work) this.queueing.delete(key);
    }
    this.uncertain.delete(key);
    work?.moved.resolve();
    return true;
  }

  private remember(key: string): void {
    this.uncertain.delete(key);
    note(this.recent, key);
  }
}

/** The oldest is forgotten when there are too many. */
function note(keys: Set<string>, key: string): void {
  keys.add(key);
  if (keys.size > REMEMBERED) keys.delete(keys.values().next().value as string);
}

/** A row that could not be written is not there; Kafka has the record still. */
async function succeeded(writing: Promise<void> | undefined): Promise<boolean> {
  if (!writing) return false;
  return writing.then(
    () => true,
    () => false,
  );
}
