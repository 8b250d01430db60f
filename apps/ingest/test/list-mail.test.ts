import { recordId, type Envelope } from '@lethe/contracts';
import { openBody } from '@lethe/bodies';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { form } from '@lethe/testing';
import { Vault } from '@lethe/vault';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ExpansionService } from '../src/lists/members/expansion.service.ts';
import { somebody } from './support/plant.ts';
import { surroundings, type Fields, type Surroundings } from './support/surroundings.ts';

interface Sent {
  id: string;
  drop_at: Date;
  recipients: { role: string; envelope: Envelope }[];
}

describe('a message to a mailing list', () => {
  let around: Surroundings;
  let made = 0;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { LIST_MAX_RECIPIENTS: '2100' });
    await around.replica();
  });
  afterAll(() => around?.close());

  /** A list with these members, each with these fields. */
  async function newList(members: readonly (string | object)[]): Promise<string> {
    const list = `mail-${(made += 1)}@${around.domain.name}`;
    await around.lists('', { method: 'POST', body: form({ address: list }) });
    for (let from = 0; from < members.length; from += 1_000) {
      const body = form({ members: JSON.stringify(members.slice(from, from + 1_000)) });
      const answer = await around.lists(`/${list}/members.json`, { method: 'POST', body });
      expect(answer.status).toBe(200);
    }
    return list;
  }

  /** What was committed of the last message, in parts. */
  async function lastSent(parts = 1): Promise<Sent[]> {
    const { rows } = await around.database.query<Omit<Sent, 'recipients'>>(
      'select id, drop_at from message order by accepted_at desc, id desc limit $1',
      [parts],
    );
    return Promise.all(
      rows.map(async (message) => {
        const { rows: people } = await around.database.query<{ ordinal: number; role: string; envelope: string }>(
          'select ordinal, role, envelope from message_recipient where message_id = $1 order by ordinal',
          [message.id],
        );
        const recipients = people.map(async ({ ordinal, role, envelope }) => {
          const expected = { account: around.accountId, type: 'envelope', recordId: recordId(message.id, ordinal) };
          return { role, envelope: await around.vault.delivery.open<Envelope>(envelope, expected) };
        });
        return { ...message, recipients: await Promise.all(recipients) };
      }),
    );
  }
  async function sent(fields: Fields, parts = 1): Promise<Sent[]> {
    // 503 asks to try again: to thousands, a busy machine is not in time.
    await vi.waitFor(async () => expect(await around.send(fields)).toMatchObject({ status: 200 }), 30_000);
    return lastSent(parts);
  }
  async function raw({ id, drop_at: dropAt }: Sent): Promise<string> {
    const key = await around.vault.delivery.contentKey(id, dropAt);
    return openBody(key, id, await around.bodies.read(id, dropAt)).toString();
  }
  const addresses = (message: Sent | undefined): string[] =>
    (message?.recipients ?? []).map(({ envelope }) => envelope.address);

  it('goes to each subscribed member by themselves, with what is theirs', async () => {
    const [ana, ben, out] = [somebody(), somebody(), somebody()];
    const list = await newList([
      { address: ana, name: 'Ana', vars: { city: 'Köln' } },
      { address: ben },
      { address: out, subscribed: false },
    ]);
    const fields = { subject: 'For %recipient.name%', text: '%recipient.city%', 'v:who': '%recipient%' };
    const [message] = await sent({ to: `The list <${list.toUpperCase()}>`, ...fields });
    expect(message?.recipients.map(({ role, envelope }) => ({ role, ...envelope }))).toMatchObject([
      {
        role: 'each',
        address: ana,
        name: 'Ana',
        subject: 'For Ana',
        variables: { who: ana },
        recipientVariables: { city: 'Köln', name: 'Ana', address: ana },
      },
      {
        role: 'each',
        address: ben,
        subject: 'For ',
        variables: { who: ben },
        recipientVariables: { name: '', address: ben },
      },
    ]);
    // The message itself names the list and nobody on it; their part and their own To are filled in when it is sent.
    const text = await raw(message);
    expect(text).toMatch(/^To: The list <mail-\d+@sender\.example>/im);
    expect(text).toContain('%recipient.city%');
    expect(text).not.toContain(ana);
  });

  it('goes to others in it as they are named, and to nobody twice', async () => {
    const [ana, ben, cleo] = [somebody(), somebody(), somebody()];
    const [one, two] = [await newList([{ address: ana, name: 'Ana' }, ben]), await newList([{ address: ben }, cleo])];
    const [message] = await sent({ to: [one, ana], cc: two, text: '%recipient.name%' });
    expect(message?.recipients.map(({ role, envelope }) => [role, envelope.address])).toEqual([
      ['to', ana],
      ['each', ben],
      ['each', cleo],
    ]);
  });

  it('comes by MIME as well, and a list on a list is left out', async () => {
    const ana = somebody();
    const inner = await newList([somebody()]);
    const list = await newList([ana, inner]);
    const message = `From: x@${around.domain.name}\r\nTo: ${list}\r\nSubject: Hi %recipient%\r\n\r\nHi\r\n`;
    expect(await around.sendMime({ to: list, message })).toMatchObject({ status: 200 });
    const [last] = await lastSent();
    expect(last?.recipients).toMatchObject([{ envelope: { address: ana, subject: `Hi ${ana}` } }]);
  });

  it('with more members than one message has goes to all of them, in parts, or is refused', async () => {
    const shown = somebody();
    const people = Array.from({ length: 2_050 }, somebody);
    const list = await newList(people);
    const parts = await sent({ to: [list, shown], subject: 'Many' }, 3);
    expect(new Set(parts.flatMap(addresses))).toEqual(new Set([shown, ...people]));
    expect(parts.map(({ recipients }) => recipients.length).toSorted((a, b) => a - b)).toEqual([51, 1_000, 1_000]);
    expect(
      new Set(parts.flatMap(({ recipients }) => recipients.map(({ envelope }) => envelope.messageIdHeader))).size,
    ).toBe(1);
    // Whoever every part shows is found in each.
    const scope = around.scope(await around.subjectOf(shown));
    const holder = around.apps[0].get(PersonalDataHolder, { strict: false });
    expect((await holder.erase(scope)).removed).toEqual({ recipient: 1, mention: 2 });
    const before = (await around.database.query('select from message')).rowCount;
    await around.lists(`/${list}/members.json`, {
      method: 'POST',
      body: form({ members: JSON.stringify(Array.from({ length: 51 }, somebody)) }),
    });
    const refused = await around.send({ to: list });
    expect(refused).toEqual({ status: 400, message: expect.stringMatching(/more than 2100 recipients/) as string });
    expect((await around.database.query('select from message')).rowCount).toBe(before);
  });

  const said = (text: RegExp): string => expect.stringMatching(text) as string;

  it('is refused where nobody gets it, or where variables make too much of it', async () => {
    const empty = await newList([{ address: somebody(), subscribed: 'no' }]);
    expect(await around.send({ to: empty })).toMatchObject({ status: 400, message: said(/no subscribed members/) });
    const list = await newList([{ address: somebody(), vars: { long: 'x'.repeat(10_000) } }]);
    const text = '%recipient.long%'.repeat(30);
    expect(await around.send({ to: list, text })).toMatchObject({ status: 400, message: said(/262144 octets/) });
    expect(await around.send({ to: list, 'v:x': text })).toMatchObject({
      status: 400,
      message: said(/octets together/),
    });
    expect(await around.send({ to: list, text: '%recipient.long%' })).toMatchObject({ status: 200 });
  });

  it('is not accepted where somebody was cut off since the list was read: under their address there is somebody new', async () => {
    const ana = somebody();
    const list = await newList([ana, somebody()]);
    const service = around.apps[0].get(ExpansionService, { strict: false });
    const expand = service.expand.bind(service);
    const before = (await around.database.query('select from message')).rowCount;
    const between = vi.spyOn(service, 'expand').mockImplementationOnce(async (...given) => {
      const expanded = await expand(...given);
      const subject = await around.subjectOf(ana);
      await around.cutOff(subject);
      // Until the replica has heard of it, the seal itself would be refused.
      await vi.waitFor(async () => {
        const [now] = await around.apps[0].get(Vault).subjectsFor(around.accountId, [ana]);
        expect(now).not.toBe(subject);
      });
      return expanded;
    });
    expect(await around.send({ to: list })).toMatchObject({ status: 503, message: said(/erasure is under way/) });
    expect((await around.database.query('select from message')).rowCount).toBe(before);
    between.mockRestore();
  });

  it('does not go to whom an erasure cut off, also where they came back', async () => {
    const [ana, ben] = [somebody(), somebody()];
    const list = await newList([ana, ben]);
    await around.cutOff(await around.subjectOf(ana));
    await expect.poll(async () => addresses((await sent({ to: list }))[0]), { timeout: 5_000 }).toEqual([ben]);
  });
});
