import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { PRIVACY_COMMANDS, PRIVACY_REPLIES, type PrivacyCommand } from '@lethe/contracts';
import { OverloadedError } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { PersonalDataHolder, type Counts, type Erased, type ErasureScope, type Scope } from '../src/index.ts';
import { startHolder } from './support/holder-service.ts';
import { privacySide, type PrivacySide } from './support/holder-world.ts';
import { NotesHolder, notesDatabase, type NotesDatabase } from './support/notes.ts';

const accountId = randomUUID();

/** An honest holder that a test can hold up or have fail. */
@Injectable()
class TestHolder extends NotesHolder {
  fail: Error | undefined;
  held: Promise<void> | undefined;
  working = 0;

  override async erase(scope: ErasureScope): Promise<Erased> {
    this.working += 1;
    await this.held;
    if (this.fail !== undefined) throw this.fail;
    return super.erase(scope);
  }

  override async verify(scope: Scope): Promise<Counts> {
    if (this.fail !== undefined) throw this.fail;
    return super.verify(scope);
  }
}

let side: PrivacySide;
let database: NotesDatabase;
let service: TestingModule;
let holder: TestHolder;

beforeAll(async () => {
  [side, database] = await Promise.all([privacySide(inject('stores')), notesDatabase(inject('stores'))]);
  service = await startHolder(side, database.pool, TestHolder);
  holder = service.get(PersonalDataHolder);
});
afterAll(async () => {
  await service?.close();
  await Promise.all([side?.close(), database?.close()]);
});

const asked = (requestId: string, attempt = 1) => ({ requestId, attempt, at: Date.now() });
const about = (requestId: string, subjects: string[], attempt = 1) => ({
  ...asked(requestId, attempt),
  accountId,
  subjects,
  cutOff: Date.now(),
});
const erase = (requestId: string, subjects: string[], attempt = 1): PrivacyCommand => ({
  ...about(requestId, subjects, attempt),
  step: 'erase',
  doNotContact: 'default',
});

it('answers each step of an erasure, with the attempt it was asked in', async () => {
  const [requestId, subject, other] = [randomUUID(), randomUUID(), randomUUID()];
  await database.add({ accountId, subject });
  await database.add({ accountId, subject: other, mentions: [subject] });
  const says = { requestId, service: 'suppression', outcome: 'done', at: expect.any(Number), subjects: 1 };

  await side.ask({ ...about(requestId, [subject], 3), step: 'fence' });
  expect(await side.reply(requestId, 3)).toEqual({ ...says, attempt: 3, step: 'fence' });
  await side.ask(erase(requestId, [subject], 4));
  const counts = { note: 1, mention: 1 };
  expect(await side.reply(requestId, 4)).toEqual({
    ...says,
    attempt: 4,
    step: 'erase',
    found: counts,
    removed: counts,
  });
  await side.ask({ ...about(requestId, [subject, other], 5), step: 'verify' });
  expect(await side.reply(requestId, 5)).toEqual({
    ...says,
    attempt: 5,
    step: 'verify',
    subjects: 2,
    residual: { note: 1 },
  });
  await side.ask({ ...asked(requestId, 6), step: 'measure' });
  expect(await side.reply(requestId, 6)).toMatchObject({ step: 'measure', readings: [{ store: 'suppression.note' }] });
});

it('says nothing about what is in flight where nothing is sent', async () => {
  const requestId = randomUUID();
  await side.ask({ ...asked(requestId), step: 'in-flight', messages: [randomUUID()] });
  await side.ask({ ...asked(requestId, 2), step: 'measure' });
  await side.reply(requestId, 2);
  expect(side.replies.filter((reply) => reply.requestId === requestId)).toHaveLength(1);
});

it.each([
  ['fault', new Error('x'), 'fault'],
  ['a store that is away', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'store-away'],
  ['too much work', new OverloadedError(), 'busy'],
])('answers failed, with a code, for %s; asked again it does the work', async (_, error, code) => {
  const [requestId, subject] = [randomUUID(), randomUUID()];
  await database.add({ accountId, subject });
  holder.fail = error;
  await side.ask(erase(requestId, [subject]));
  const failed = await side.reply(requestId);
  holder.fail = undefined;
  expect(failed).toEqual({
    requestId,
    attempt: 1,
    service: 'suppression',
    at: expect.any(Number),
    step: 'failed',
    outcome: 'failed',
    of: 'erase',
    error: code,
    retryable: true,
  });
  await side.ask(erase(requestId, [subject], 2));
  expect(await side.reply(requestId, 2)).toMatchObject({ step: 'erase', removed: { note: 1 } });
});

it('joins a step that is asked again while it is at work, and answers both', async () => {
  const [requestId, subject] = [randomUUID(), randomUUID()];
  await database.add({ accountId, subject });
  const gate = Promise.withResolvers<void>();
  holder.held = gate.promise;
  const before = holder.working;
  await side.ask(erase(requestId, [subject], 1));
  await side.ask(erase(requestId, [subject], 2));
  // Same key, same partition: when this one is answered, both before it were handed out.
  await side.ask({ ...about(requestId, [subject], 3), step: 'fence' });
  await side.reply(requestId, 3);
  gate.resolve();
  const answers = [await side.reply(requestId, 1), await side.reply(requestId, 2)];
  expect(holder.working - before).toBe(1);
  for (const answer of answers) expect(answer).toMatchObject({ step: 'erase', found: { note: 1 } });
});

it('does not let one request wait for another', async () => {
  const [slow, fast] = [randomUUID(), randomUUID()];
  const gate = Promise.withResolvers<void>();
  holder.held = gate.promise;
  await side.ask(erase(slow, [randomUUID()]));
  for (let n = 0; n < 8; n += 1) await side.ask({ ...about(`${fast}-${n}`, [randomUUID()]), step: 'verify' });
  for (let n = 0; n < 8; n += 1) expect(await side.reply(`${fast}-${n}`)).toMatchObject({ step: 'verify' });
  gate.resolve();
  expect(await side.reply(slow)).toMatchObject({ step: 'erase' });
});

it('buries what is no command', async () => {
  await side.askRaw('{"step":"erase","subjects":"everybody"}');
  await side.askRaw('not JSON');
  const requestId = randomUUID();
  await side.ask({ ...asked(requestId), step: 'measure' });
  await side.reply(requestId);
  const buried = async () => (await side.held(PRIVACY_COMMANDS.deadLetter)) === 2;
  expect(await until(buried, 20_000)).toBe(true);
});

it('keeps its place until the answer is durable, and then repeats nothing', async () => {
  const own = await privacySide(inject('stores'), [PRIVACY_COMMANDS]);
  const waiting = await startHolder(own, database.pool, TestHolder);
  const working = () => waiting.get<TestHolder>(PersonalDataHolder).working;
  try {
    const requestId = randomUUID();
    await own.ask(erase(requestId, [randomUUID()]));
    expect(await until(() => working() >= 2, 60_000), 'answered in vain, and taken up again').toBe(true);
    expect(await own.committed()).toBe(0);

    await own.create([PRIVACY_REPLIES]);
    expect(await own.reply(requestId)).toMatchObject({ step: 'erase' });
    expect(await until(async () => (await own.committed()) === 1, 20_000)).toBe(true);
  } finally {
    await waiting.close();
    await own.close();
  }
}, 120_000);
