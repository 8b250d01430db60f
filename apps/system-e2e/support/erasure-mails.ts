import { randomBytes } from 'node:crypto';
import { basic, form, sendMessage, type Needle } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

/** Somebody who is written to at several addresses, each with a way of its own that the world's servers have with it. */
export class MarkedPerson {
  readonly name: string;
  readonly unique = randomBytes(6).toString('hex');

  constructor(title: string) {
    this.name = `${title} Näme-${this.unique}`;
  }

  /** `behaviour`: the word before the plus sign, as the SMTP world reads it. */
  address(behaviour: 'ok' | '550' | 'temperror' | 'greylist' | 'full'): string {
    return `${behaviour}+${this.unique}@World.example`;
  }

  mailbox(behaviour: 'ok' | '550' | 'temperror' | 'greylist' | 'full'): string {
    return `${this.name} <${this.address(behaviour)}>`;
  }

  get addresses(): string[] {
    return (['ok', '550', 'temperror', 'greylist', 'full'] as const).map((behaviour) => this.address(behaviour));
  }

  /** What must be nowhere once they are erased. */
  get needles(): Needle[] {
    return [
      ...this.addresses.map((value) => ({ name: `address ${value.split('+', 1)[0]}`, value })),
      // Whatever stands before it.
      { name: 'any address', value: `+${this.unique}@world.example` },
      { name: 'name', value: this.name },
    ];
  }

  get order(): { address: string; aliases: string[] } {
    const [address = '', ...aliases] = this.addresses;
    return { address, aliases };
  }
}

export interface Mail {
  /** How findings call it. */
  readonly title: string;
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly replyTo?: string;
  /** As a raw message instead of a form's fields. */
  readonly mime?: boolean;
}

/** A mail that was acknowledged. */
export interface SentMail extends Mail {
  /** Message-ID without angle brackets. */
  readonly messageId: string;
  /** Its own subject, text, names and variables: a text like no other each. */
  readonly marks: readonly Needle[];
}

/** Sends a mail whose every part is like no other. */
export async function sendMarked(own: OwnPlatform, mail: Mail): Promise<SentMail> {
  const marks: Needle[] = [];
  const mark = (name: string, text: (unique: string) => string): string => {
    const value = text(randomBytes(5).toString('hex'));
    marks.push({ name: `${mail.title}: ${name}`, value });
    return value;
  };
  const content = {
    subject: mark('subject', (unique) => `Ihr Befund: ${unique} “positiv”`),
    text: `Hello,\r\n\r\n${mark('text', (unique) => `the eagle ${unique} lands at noon`)}.\r\n`,
    variable: mark('variable', (unique) => `order ${unique}`),
    tag: mark('tag', (unique) => `tag-${unique}`),
    attachment: mark('attachment', (unique) => `attached ${unique}\n`),
    fileName: mark('file name', (unique) => `befund-${unique}.txt`),
  };
  const response = await (mail.mime ? sendMime(own, mail, content) : sendForm(own, mail, content));
  const answer = (await response.json()) as { id?: string };
  if (response.status !== 200 || answer.id === undefined) {
    throw new Error(`${mail.title} was answered ${response.status}`);
  }
  return { ...mail, messageId: answer.id.slice(1, -1), marks };
}

type Content = Readonly<Record<'subject' | 'text' | 'variable' | 'tag' | 'attachment' | 'fileName', string>>;

const sender = (own: OwnPlatform): string => `Ann <ann@${own.demo.domain}>`;

function sendForm(own: OwnPlatform, mail: Mail, content: Content): Promise<Response> {
  const body = form({
    from: sender(own),
    to: mail.to ?? [],
    cc: mail.cc ?? [],
    bcc: mail.bcc ?? [],
    subject: content.subject,
    text: content.text,
    'v:order': content.variable,
    'o:tag': content.tag,
    ...(mail.replyTo === undefined ? {} : { 'h:Reply-To': mail.replyTo }),
  });
  body.append('attachment', new Blob([content.attachment]), content.fileName);
  return sendMessage(own.platform.gateway, own.demo, body);
}

function sendMime(own: OwnPlatform, mail: Mail, content: Content): Promise<Response> {
  const people = (field: string, values: readonly string[] = []) =>
    values.length === 0 ? [] : [`${field}: ${values.map(encoded).join(', ')}`];
  const lines = [
    `From: ${sender(own)}`,
    ...people('To', mail.to),
    ...people('Cc', mail.cc),
    ...people('Reply-To', mail.replyTo === undefined ? [] : [mail.replyTo]),
    `Subject: =?utf-8?B?${Buffer.from(content.subject).toString('base64')}?=`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    content.text,
    '--b',
    `Content-Disposition: attachment; filename="${content.fileName}"`,
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(content.attachment).toString('base64'),
    '--b--',
    '',
  ];
  const recipients = [...(mail.to ?? []), ...(mail.cc ?? []), ...(mail.bcc ?? [])].map(bare);
  const body = form({ to: recipients, 'v:order': content.variable, 'o:tag': content.tag });
  body.append('message', new Blob([lines.join('\r\n')]), 'message.eml');
  return fetch(`${own.platform.gateway}/v3/${own.demo.domain}/messages.mime`, {
    method: 'POST',
    headers: { authorization: basic(own.demo.apiKey) },
    body,
    signal: AbortSignal.timeout(60_000),
  });
}

const bare = (mailbox: string): string => mailbox.slice(mailbox.indexOf('<') + 1).replace('>', '');

/** RFC 2047, because header fields are ASCII. */
function encoded(mailbox: string): string {
  const name = mailbox.slice(0, mailbox.indexOf('<')).trim();
  return name === '' ? mailbox : `=?utf-8?B?${Buffer.from(name).toString('base64')}?= <${bare(mailbox)}>`;
}
