import type { Readable } from './readable.ts';

/** How a report shows which program or service wrote it. */
const SIGNS: readonly (readonly [string, (message: Sign) => boolean])[] = [
  [
    'exim',
    ({ from, subject, title, id, body, has }) => {
      // Two hosters have taken its first sentence over, and not its form.
      if (body.includes('The header of the original message is following')) return false;
      const signs = [
        from.includes('mail delivery system'),
        title.includes('Delivery Status Notification') ||
          /mail delivery failed|mail failure|message frozen|^warning: message |error\(s\) in forwarding or filtering/.test(
            subject,
          ),
        /^<[a-z0-9]{6}-[a-z0-9]{6,11}-[a-z0-9]{2,4}@/.test(id),
      ];
      const isIts =
        /created automatically by mail delivery software|A message that you sent|has been frozen|was frozen on arrival|router encountered the following error/.test(
          body,
        );
      return (
        (isIts && signs.filter(Boolean).length > 1) || has('x-mxl-hash') || has('x-mxl-notehash') || has('x-mx-bounce')
      );
    },
  ],
  [
    'qmail',
    ({ subject, received, mailer }) =>
      mailer !== 'm-filter' &&
      (/^failure notice|^permanent delivery failure/.test(subject) || received.includes('(qmail ')),
  ],
  [
    'opensmtpd',
    ({ from, subject, received }) =>
      received.includes(' (opensmtpd)') ||
      (from.includes('mailer daemon <') && subject.includes('delivery status notification')),
  ],
  ['dragonfly', ({ received }) => received.includes('(dragonfly mail agent')],
  [
    'courier',
    ({ from, subject, id }) =>
      from.includes('courier mail server at ') ||
      /notice: mail delivery status|warning: delayed mail/.test(subject) ||
      id.startsWith('<courier.'),
  ],
  [
    'postfix',
    ({ subject, body }) =>
      (subject === 'undelivered mail returned to sender' && /mail system|Postfix|program/.test(body)) ||
      / smtp server: errors from /.test(subject),
  ],
  [
    'sendmail',
    ({ subject, body }) =>
      body.includes('Transcript of session follows') &&
      (subject.endsWith('see transcript for details') || /^(?:warning|postmaster notify): /.test(subject)),
  ],
  ['imail', ({ subject, mailer }) => subject === 'undeliverable mail' || mailer.startsWith('<smtp32 v')],
  ['fml', ({ has }) => has('x-mlserver')],
  ['google', ({ from }) => from.includes('mailer-daemon@google')],
  [
    'google-groups',
    // It gives the same four guesses in every language.
    ({ from, text, has }) =>
      from.includes('mailer-daemon@googlemail.com') &&
      has('x-failed-recipients') &&
      has('x-google-smtp-source') &&
      (text.match(/^[ \t]?\*[ \t]/gm)?.length ?? 0) === 4,
  ],
  ['gmx', ({ has }) => has('x-gmx-antispam')],
  [
    'kddi',
    ({ from, received, id }) =>
      /@(?:\S{1,80}\.)?(?:ezweb|dion|auone-net)\.(?:ne\.)?jp|@au\.com/.test(from) ||
      /ezweb\.ne\.jp \(|\.au\.com \(/.test(received) ||
      /\.(?:ezweb\.ne\.jp|au\.com)>$/.test(id),
  ],
  ['biglobe', ({ from }) => /postmaster@(?:biglobe|inacatv|tmtv|ttv)\.ne\.jp/.test(from)],
  ['spasign', ({ spam }) => spam === 'ng'],
  [
    'interscan',
    ({ from, type, body }) =>
      from.startsWith('"interscan') || type.includes('interscan') || body.includes(' InterScan '),
  ],
  ['zoho', ({ has }) => has('x-zohomail')],
  ['verizon', ({ from }) => /post_master@vtext\.com|sysadmin@\S{1,80}\.vzwpix\.com/.test(from)],
];

interface Sign {
  from: string;
  subject: string;
  /** The subject as it is written. */
  title: string;
  id: string;
  mailer: string;
  spam: string;
  type: string;
  received: string;
  /** What the report says before it returns the message. */
  text: string;
  body: string;
  has: (field: string) => boolean;
}

/** Names, as in the rules, of the programs that may have written the report, whose text is given; several look alike. */
export function programsOf(message: Readable, text: string): string[] {
  const value = (name: string) => message.field(name).trim().toLowerCase();
  const sign: Sign = {
    from: value('from'),
    subject: value('subject'),
    title: message.field('subject'),
    id: value('message-id'),
    mailer: value('x-mailer'),
    spam: value('x-spasign'),
    type: value('content-type'),
    received: message.fields('received').join('\n').toLowerCase(),
    text,
    body: `${text}\n${message.whole.slice(0, 16_384)}`,
    has: (name) => message.field(name) !== '',
  };
  return SIGNS.filter(([, shows]) => shows(sign)).map(([name]) => name);
}
