import { MAIL_ACCEPTED, mailAccepted, type MailAccepted } from '@lethe/contracts';
import { Outbox } from '@lethe/kafka';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Pool } from 'pg';
import { vi } from 'vitest';
import { AcceptService } from '../../src/accept/accept.service.ts';
import type { Submission } from '../../src/accept/submission.ts';
import { FenceRepository } from '../../src/privacy/fence.repository.ts';

const APPLICATION = 'ingest';

/** Holds up every commit of a message within its transaction, after its first insert, until it is lifted. */
export async function holdCommits(database: Pool): Promise<() => Promise<void>> {
  const client = await database.connect();
  await client.query('begin');
  await client.query('lock table outbox in share mode');
  return async () => {
    await client.query('commit');
    client.release();
  };
}

/** Resolves once so many of the service's statements wait for a lock. */
export function waitingForLocks(database: Pool, count: number): Promise<void> {
  return vi.waitFor(async () => {
    const { rows } = await database.query<{ waiting: number }>(
      `select count(*)::int as waiting from pg_stat_activity
       where datname = current_database() and application_name = $1 and wait_event_type = 'Lock'`,
      [APPLICATION],
    );
    if ((rows[0]?.waiting ?? 0) < count) throw new Error('too few wait');
  }, 10_000);
}

/** Follows a promise, and waits until the fence has looked twice and is not through. */
export function followed<T>(app: NestFastifyApplication, look: 'writersLeft' | 'waitingLeft', work: Promise<T>) {
  const looks = vi.spyOn(app.get(FenceRepository, { strict: false }), look);
  const before = looks.mock.calls.length;
  let over = false;
  void work.then(
    () => (over = true),
    () => (over = true),
  );
  return {
    over: () => over,
    async keptWaiting(): Promise<void> {
      await vi.waitFor(() => {
        if (looks.mock.calls.length < before + 2) throw new Error('the fence has not looked yet');
      }, 10_000);
      if (over) throw new Error('the fence did not wait');
    },
  };
}

/** What goes into the accept path of a replica from now on, as it is. */
export function acceptedBy(app: NestFastifyApplication): Submission[] {
  const service = app.get(AcceptService, { strict: false });
  const accept = service.accept.bind(service);
  const accepted: Submission[] = [];
  vi.spyOn(service, 'accept').mockImplementation((submission, ...rest) => {
    accepted.push(submission);
    return accept(submission, ...rest);
  });
  return accepted;
}

/** What a replica commits for delivery from now on, as delivery will read it. */
export function committedBy(app: NestFastifyApplication): MailAccepted[] {
  const outbox = app.get(Outbox, { strict: false });
  const insertMany = outbox.insertMany.bind(outbox);
  const committed: MailAccepted[] = [];
  vi.spyOn(outbox, 'insertMany').mockImplementation((client, groups) => {
    const records = groups.flatMap((group) => group.records).filter(({ topic }) => topic === MAIL_ACCEPTED.name);
    committed.push(...records.map(({ value }) => mailAccepted.parse(JSON.parse(value ?? ''))));
    return insertMany(client, groups);
  });
  return committed;
}
