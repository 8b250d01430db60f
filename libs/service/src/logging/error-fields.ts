const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
const CODE = /^(?:[A-Z][A-Z0-9_]{2,63}|[0-9A-Z]{5}|[2-5][0-9]{2})$/;
const FRAME =
  /^ {4}at (?:.*\()?(?:node:|file:\/\/)?(?:[^()]*\/)?(?<file>[\w.-]{1,80}\.(?:[cm]?[jt]s)|[\w-]{1,40}):(?<line>\d+):\d+\)?$/;
const MAX_CAUSES = 3;
const MAX_FRAMES = 8;

/** Codes of Node, PostgreSQL, Kafka and Elasticsearch clients that mean the same to an operator. */
const CLASSES: [RegExp, string][] = [
  [
    /^(?:ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_SOCKET|ECONNABORTED)$/,
    'connection',
  ],
  [
    /^(?:ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT|ABORT_ERR|57014|REQUEST_TIMED_OUT)$/,
    'timeout',
  ],
  [/^(?:28\w{3}|EAUTH|SASL_AUTHENTICATION_FAILED)$/, 'authentication'],
  [/^(?:42501|EACCES|EPERM|\w+_AUTHORIZATION_FAILED)$/, 'permission'],
  [/^(?:53100|ENOSPC)$/, 'disk-full'],
  [/^(?:53\w{3}|EMFILE|ENFILE|ENOMEM|OVERLOADED)$/, 'resources'],
  [/_(?:NOT_AVAILABLE|UNAVAILABLE)$/, 'connection'],
  [/^57P0\d$/, 'shutdown'],
  [/^08\w{3}$/, 'connection'],
  [/^40\w{3}$/, 'conflict'],
  [/^23\w{3}$/, 'constraint'],
  [/^22\w{3}$/, 'data'],
  [/^42\w{3}$/, 'statement'],
  [/^EADDRINUSE$/, 'port-taken'],
  [/^(?:CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)\w*$/, 'tls'],
  [/^4\d\d$/, 'temporary-reply'],
  [/^5\d\d$/, 'permanent-reply'],
];

const CLASSES_BY_NAME: Record<string, string> = {
  KafkaJSConnectionError: 'connection',
  KafkaJSConnectionClosedError: 'connection',
  KafkaJSBrokerNotFound: 'connection',
  KafkaJSRequestTimeoutError: 'timeout',
  KafkaJSSASLAuthenticationError: 'authentication',
  ConnectionError: 'connection',
  NoLivingConnectionsError: 'connection',
  TimeoutError: 'timeout',
  AbortError: 'timeout',
  OverloadedError: 'resources',
  ZodError: 'data',
  SyntaxError: 'data',
  RangeError: 'programming',
  TypeError: 'programming',
  ReferenceError: 'programming',
};

/** Errors of pg and its pool that have neither code nor name of their own; only read, never written. */
const CLASSES_BY_MESSAGE: [RegExp, string][] = [
  [/^(?:Connection terminated|Client has encountered a connection error|Connection closed)/, 'connection'],
  [/^(?:timeout exceeded when trying to connect|Query read timeout)/, 'timeout'],
  [/^(?:Cannot use a pool after calling end|Client was closed)/, 'shutdown'],
];

export interface ErrorFields {
  name: string;
  class: string;
  code?: string;
  /** `file:line` of the frames, innermost first. */
  at?: string[];
  cause?: ErrorFields;
}

/**
 * An error as it may be logged: its name, its code, what kind of trouble that is, and where it was
 * thrown. Never its message: PostgreSQL quotes the row, SMTP servers the recipient, parsers the text.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { name: 'NotAnError', class: 'other' };
  const code = errorCode(error);
  const at = frames(error);
  return {
    name: NAME.test(error.name) ? error.name : 'Error',
    class: errorClass(error),
    ...(code === undefined ? {} : { code }),
    ...(at.length === 0 ? {} : { at }),
    ...(error.cause !== undefined && depth < MAX_CAUSES ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}

/** What kind of trouble an error is: `connection`, `timeout`, `disk-full`, … or `other`. */
export function errorClass(error: unknown): string {
  if (!(error instanceof Error)) return 'other';
  const code = errorCode(error);
  const byCode = code && CLASSES.find(([pattern]) => pattern.test(code))?.[1];
  const byMessage = CLASSES_BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1];
  return byCode || CLASSES_BY_NAME[error.name] || byMessage || 'other';
}

/** The code of an error where it has the shape of one, be it in `code`, `type` or `responseCode`. */
export function errorCode(error: Error): string | undefined {
  const { code, type, responseCode } = error as { code?: unknown; type?: unknown; responseCode?: unknown };
  for (const candidate of [code, type, responseCode]) {
    const text = typeof candidate === 'number' ? String(candidate) : candidate;
    if (typeof text === 'string' && CODE.test(text)) return text;
  }
  return undefined;
}

function frames(error: Error): string[] {
  const { stack } = error;
  // The header repeats the message, which may span lines and may even look like a frame.
  const header = `${error.name}: ${error.message}`;
  if (!stack?.startsWith(header)) return [];
  return stack
    .slice(header.length)
    .split('\n')
    .flatMap((line) => {
      const match = FRAME.exec(line)?.groups;
      return match ? [`${match['file']}:${match['line']}`] : [];
    })
    .slice(0, MAX_FRAMES);
}

const UNAVAILABLE = new Set(['connection', 'timeout', 'disk-full', 'resources', 'shutdown']);

/**
 * Whether a store or peer is away, full or overloaded, so that trying again later can help: HTTP
 * answers 503, a handler answers `retry`. Errors that wrap another (TypeORM's) count as that one.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (UNAVAILABLE.has(errorClass(error))) return true;
  return error.cause !== undefined && isUnavailable(error.cause);
}
