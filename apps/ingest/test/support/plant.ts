import { createHash, randomBytes } from 'node:crypto';
import type { BodyStore } from '@lethe/bodies';
import type { PlantedPerson } from '@lethe/privacy-holder/conformance';
import { form } from '@lethe/testing';
import type { Fields, Surroundings } from './surroundings.ts';

export const KINDS = ['recipient', 'mention', 'message', 'body', 'member'] as const;

/** An address nobody had before. */
export const somebody = (): string => `p${randomBytes(6).toString('hex')}@world.example`;

export async function sent(around: Surroundings, fields: Fields): Promise<void> {
  const answer = await around.send(fields);
  if (answer.status !== 200) throw new Error(`ingest answered ${answer.status}: ${answer.message}`);
}

/** On a list, which is made if need be. */
export async function member(around: Surroundings, list: string, address: string): Promise<void> {
  await around.lists('', { method: 'POST', body: form({ address: list }) });
  const answer = await around.lists(`/${list}/members`, { method: 'POST', body: form({ address }) });
  if (answer.status !== 200) throw new Error(`ingest answered ${answer.status}`);
}

/** A new person in every place that a message has for one. */
export async function plantPerson(around: Surroundings): Promise<PlantedPerson> {
  const person = somebody();
  await sent(around, { to: person });
  await sent(around, { to: person, from: `Themselves <${person}>` });
  await sent(around, { to: ['shown@world.example', person], cc: 'copied@world.example' });
  await sent(around, { to: 'shown@world.example', cc: person, bcc: 'blind@world.example' });
  await sent(around, { to: 'shown@world.example', bcc: person });
  await sent(around, { to: 'shown@world.example', from: `Sender <${person}>`, 'h:Reply-To': person });
  for (const list of ['one', 'two']) await member(around, `${list}@${around.domain.name}`, person);
  return {
    subject: await around.subjectOf(person),
    planted: { recipient: 5, mention: 3, message: 2, body: 2, member: 2 },
  };
}

/** Every row there is of messages that have anybody else to go to, without these people's. */
export async function rowsOfOthers({ database, bodies }: Surroundings, people: readonly string[]): Promise<unknown> {
  const theirs = `select message_id from message_recipient where subject_id <> all($1::uuid[])`;
  const of = async (sql: string): Promise<unknown[]> => (await database.query(sql, [people])).rows;
  return {
    message: await of(`select * from message where id in (${theirs}) order by id`),
    recipient: await of(
      'select * from message_recipient where subject_id <> all($1::uuid[]) order by message_id, ordinal',
    ),
    member: await of('select * from mailing_list_member where subject_id <> all($1::uuid[]) order by list_id, seq'),
    related: await of(
      `select * from message_related where subject_id <> all($1::uuid[]) and message_id in (${theirs})
       order by message_id, ordinal`,
    ),
    body: await digests(
      bodies,
      (await of(`select id, drop_at from message where id in (${theirs}) order by id`)) as Kept[],
    ),
  };
}

interface Kept {
  id: string;
  drop_at: Date;
}

/** Of bodies as they are kept; null where there is none. */
function digests(bodies: BodyStore, messages: Kept[]): Promise<(string | null)[]> {
  return Promise.all(
    messages.map(async ({ id, drop_at: dropAt }) => {
      if ((await bodies.count([{ messageId: id, dropAt }])) === 0) return null;
      return createHash('sha256')
        .update(await bodies.read(id, dropAt))
        .digest('hex');
    }),
  );
}
