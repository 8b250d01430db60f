/** One recipient as a JSON notification of Amazon SES tells it. */
export interface Notified {
  kind: 'bounce' | 'complaint' | 'delivery';
  recipient: string;
  action: string;
  status: string;
  diagnostic: string;
}

const MAX_RECIPIENTS = 1000;

/** Amazon SES mails its notifications as JSON, which mail systems on the way may have broken into lines. */
export function readNotification(text: string): Notified[] {
  const value = read(text, '{"notificationType"') ?? read(text, '{\\"notificationType\\"');
  if (value === undefined) return [];
  const kind = field(value, 'notificationType');
  if (kind === 'Bounce') {
    return list(child(child(value, 'bounce'), 'bouncedRecipients')).map((one) => ({
      kind: 'bounce',
      recipient: field(one, 'emailAddress'),
      action: field(one, 'action'),
      status: field(one, 'status'),
      diagnostic: field(one, 'diagnosticCode'),
    }));
  }
  const nothing = { action: '', status: '', diagnostic: '' };
  if (kind === 'Complaint') {
    return list(child(child(value, 'complaint'), 'complainedRecipients')).map((one) => ({
      kind: 'complaint',
      recipient: field(one, 'emailAddress'),
      ...nothing,
    }));
  }
  const delivery = child(value, 'delivery');
  return list(child(delivery, 'recipients')).map((one) => ({
    kind: 'delivery',
    recipient: typeof one === 'string' ? one : '',
    ...nothing,
    diagnostic: field(delivery, 'smtpResponse'),
  }));
}

/** The object that begins so; one that SNS has put into a string of its own is unwrapped first. */
function read(text: string, begin: string): unknown {
  const from = text.indexOf(begin);
  const end = text.lastIndexOf('}');
  if (from < 0 || end < from) return undefined;
  for (const brokenBy of [/\r?\n/g, /!?\r?\n ?/g]) {
    const whole = text.slice(from, end + 1).replace(brokenBy, '');
    const json = whole.slice(0, whole.lastIndexOf('}') + 1);
    const unwrapped = begin.includes('\\') ? parse(`"${json.split('}"', 1)[0] ?? ''}}"`) : json;
    const value = typeof unwrapped === 'string' ? parse(unwrapped) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const child = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
const field = (value: unknown, name: string): string => {
  const found = child(value, name);
  return typeof found === 'string' ? found.slice(0, 4096) : '';
};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, MAX_RECIPIENTS) : []);
