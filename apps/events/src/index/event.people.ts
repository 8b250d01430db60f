import type { EventDocument } from './event.document.ts';

/** Someone the event mentions. The subject id is what erasure searches for. */
export interface DocumentPerson {
  readonly subject: string;
  readonly role: string;
  readonly address: string;
  readonly name?: string;
}

type PeopleFields = Pick<EventDocument, 'subjects' | 'recipients' | 'people' | 'from' | 'to'>;

/** Every field of a document that tells of people, made of them alone: the recipient, and the others of the message. */
export function peopleFields(own: DocumentPerson, others: readonly DocumentPerson[]): PeopleFields {
  const people = [own, ...others];
  const named = (role: string): string =>
    people
      .filter((one) => one.role === role)
      .map(mailbox)
      .join(', ');
  const visible = people.filter(({ role }) => role === 'to' || role === 'cc');
  return {
    subjects: [...new Set(people.map(({ subject }) => subject))],
    recipients: [...new Set([own.address, ...visible.map(({ address }) => address)])],
    people,
    from: named('from'),
    to: named(own.role === 'each' ? 'each' : 'to'),
  };
}

/**
 * The document as it would be indexed if the keys of these people, who are not its recipient, were gone: an erasure leaves what a
 * rebuild would make. What the message itself says of them is its recipient's.
 */
export function withoutSubjects<D extends EventDocument>(document: D, ids: ReadonlySet<string>): D {
  const [own, ...others] = document.people;
  if (!own || ids.has(own.subject))
    throw new TypeError('the document is of one of these people: it has to go as a whole');
  return {
    ...document,
    ...peopleFields(
      own,
      others.filter(({ subject }) => !ids.has(subject)),
    ),
  };
}

/** `Name <address>`, the name quoted where RFC 5322 §3.2.4 asks for it. */
function mailbox({ name, address }: DocumentPerson): string {
  if (!name) return address;
  const shown = /^[\w !#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+$/u.test(name)
    ? name
    : `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
  return `${shown} <${address}>`;
}
