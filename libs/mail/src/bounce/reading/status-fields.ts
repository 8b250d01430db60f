/** The fields about one recipient (RFC 3464 2.3), as written; '' where there is none. */
export interface StatusFields {
  recipient: string;
  action: string;
  /** `5.1.1` of `5.1.1 (bad destination)`. */
  status: string;
  /** What stands in brackets behind the status. */
  comment: string;
  /** `smtp` of `smtp; 550 …`, lower case. */
  diagnosticType: string;
  diagnostic: string;
  systems: string[];
  /** PowerMTA's own classification. */
  category: string;
}

const MAX_LINES = 50_000;
const MAX_VALUE = 4096;
export const MAX_RECIPIENTS = 1000;

const FIELD = /^(?:> ?){0,3}([A-Za-z][A-Za-z-]{2,39})[ \t]{0,4}:[ \t]?/;
const RECIPIENT_FIELDS = ['final-recipient', 'original-recipient', 'x-actual-recipient'];
/** A second one of these belongs to the next recipient, even where the empty line between them is missing. */
const ONCE = new Set(['final-recipient', 'action', 'status', 'diagnostic-code']);

/**
 * Finds the recipients' groups of fields in a text, inside of a `message/delivery-status` or wherever a mail system or a
 * person who forwards has put them. Groups are apart by empty lines; each names a recipient, or an action with a status.
 */
export function statusFields(text: string): StatusFields[] {
  const groups: Map<string, string>[] = [];
  let group = new Map<string, string>();
  let reporting = '';
  let name = '';
  const close = () => {
    reporting = group.get('reporting-mta') ?? reporting;
    if (groups.length < MAX_RECIPIENTS && isAboutRecipient(group)) groups.push(group);
    group = new Map();
    name = '';
  };
  for (const line of text.split(/\r?\n/, MAX_LINES)) {
    const field = FIELD.exec(line);
    if (field?.[1] !== undefined) {
      name = field[1].toLowerCase();
      if (ONCE.has(name) && group.has(name)) close();
      name = field[1].toLowerCase();
      if (!group.has(name)) group.set(name, line.slice(field[0].length).trim().slice(0, MAX_VALUE));
    } else if (/^(?:> ?){0,3}\s*$/.test(line)) close();
    else if (name !== '' && /^(?:> ?){0,3}[ \t]/.test(line)) {
      const so = group.get(name) ?? '';
      if (so.length < MAX_VALUE) group.set(name, `${so} ${line.trim()}`);
    } else name = '';
  }
  close();
  return groups.map((fields) => read(fields, reporting));
}

function isAboutRecipient(group: Map<string, string>): boolean {
  const named = RECIPIENT_FIELDS.some((one) => group.has(one));
  const told = ['action', 'status', 'diagnostic-code'].filter((one) => group.has(one)).length;
  return named ? told > 0 : told > 1;
}

function read(fields: Map<string, string>, reporting: string): StatusFields {
  const value = (name: string) => fields.get(name) ?? '';
  const untyped = (text: string) => text.slice(text.indexOf(';') + 1).trim();
  const named = RECIPIENT_FIELDS.map((name) => untyped(value(name))).filter((one) => one !== '');
  // A program, or a name in another system, is not who the message was for.
  const recipient = named.find((one) => one.includes('@')) ?? named[0] ?? '';
  const diagnostic = value('diagnostic-code');
  const type = /^[A-Za-z0-9_. -]{1,40};/.exec(diagnostic)?.[0].slice(0, -1).trim().toLowerCase() ?? '';
  return {
    recipient,
    action:
      value('action')
        .trim()
        .toLowerCase()
        .split(/[^a-z]/, 1)[0] ?? '',
    status: /^[245]\.\d{1,3}\.\d{1,3}/.exec(value('status'))?.[0] ?? '',
    comment: /\(([^)]{1,500})\)/.exec(value('status'))?.[1] ?? '',
    diagnosticType: type,
    diagnostic: type === '' ? diagnostic : untyped(diagnostic),
    systems: [value('reporting-mta') || reporting, value('remote-mta')].map(untyped).filter((one) => one !== ''),
    category: value('x-powermta-bouncecategory').toLowerCase(),
  };
}
