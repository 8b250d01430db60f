import {
  headerFields,
  headerLine,
  normaliseMessage,
  parseAddressList,
  prependHeaders,
  replaceTexts,
  splitMessage,
} from '@lethe/mail';
import type { Form } from '../../form/form.parser.ts';
import { invalid } from '../../form/refusals.ts';
import { messageOf } from '../../messages/mime.submission.ts';
import { taken } from '../../messages/refusals.ts';

/** What a template became in one message. */
export interface Rendered {
  readonly html: string;
  /** Where the message asks for one. */
  readonly text: string | undefined;
  /** Stored with the template: it stands where the message has none. */
  readonly from: string | undefined;
  readonly subject: string | undefined;
  readonly replyTo: string | undefined;
}

/** Puts what a template became into a form, which has no fields of templates any more. @throws ApiError 400 naming the field. */
export type Into = (form: Form, rendered: Rendered) => Form;

/** Into the fields of `messages`. Clients send a `text` and a `subject` that are empty where they have none. */
export const intoForm: Into = (form, rendered) => {
  const has = (name: string): boolean => form.fields.get(name)?.some((value) => value.trim() !== '') ?? false;
  if (has('html')) throw invalid('html', `it cannot be given beside 'template'`);
  const fields = new Map(form.fields);
  fields.set('html', [rendered.html]);
  if (!has('text')) fields.delete('text');
  const stored = { text: rendered.text, from: rendered.from, subject: rendered.subject };
  for (const [name, value] of Object.entries(stored)) if (value !== undefined && !has(name)) fields.set(name, [value]);
  const isAnswered = [...fields.keys()].some((name) => name.toLowerCase() === 'h:reply-to');
  if (rendered.replyTo !== undefined && !isAnswered) fields.set('h:Reply-To', [rendered.replyTo]);
  return { ...form, fields };
};

/** Into the message of `messages.mime`, in place of its texts; what is attached to it stays. */
export const intoMime: Into = (form, { html, text, from, subject, replyTo }) => {
  const given = taken(normaliseMessage(messageOf(form), 'message'));
  const named = new Set(headerFields(splitMessage(given).header).map(({ name }) => name));
  const line = (name: string, value: string | undefined): string[] =>
    value === undefined || named.has(name.toLowerCase()) ? [] : [headerOf(name, value)];
  const lines = [...line('From', from), ...line('Reply-To', replyTo), ...line('Subject', subject)];
  const content = taken(replaceTexts(prependHeaders(given, lines), { html, ...(text === undefined ? {} : { text }) }));
  const { fields } = form;
  return {
    fields: new Map([...fields].filter(([name]) => name !== 'message')),
    files: [
      ...form.files.filter(({ field }) => field !== 'message'),
      { field: 'message', filename: 'message', contentType: 'message/rfc822', content },
    ],
  };
};

function headerOf(name: string, value: string): string {
  if (name !== 'Subject') taken(parseAddressList(value, name, { max: name === 'From' ? 1 : 10 }));
  if (/\p{Cc}/u.test(value)) throw invalid('template', `its ${name} holds a line break or another control character`);
  return headerLine(name, value);
}
