import type { Mailbox, ReceivedMessage } from './mailbox.ts';
import type { SmtpStats } from './smtp-server.ts';

const SHOWN = 200;
const SUBJECT_SEARCH_BYTES = 16_384;

/** The newest messages as a plain page without scripts. Every text from a message is escaped. */
export function page(mailbox: Mailbox, stats: SmtpStats): string {
  const rows = mailbox.newest(SHOWN).map(row).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mail received by the SMTP world</title>
<style>body{font:16px/1.4 system-ui,sans-serif;margin:1.5rem}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;overflow-wrap:anywhere}</style>
</head><body>
<h1>Mail received by the SMTP world</h1>
<p>${mailbox.size} kept (the newest ${SHOWN} are shown), ${stats.messages} received, ${stats.refused} recipients refused,
${stats.connections} connections, ${stats.current} open. Reload to see more.</p>
<table><thead><tr><th scope="col">Received</th><th scope="col">From</th><th scope="col">To</th>
<th scope="col">Subject</th><th scope="col">TLS</th><th scope="col">Bytes</th></tr></thead><tbody>
${rows}
</tbody></table></body></html>
`;
}

function row(message: ReceivedMessage): string {
  const subject = subjectOf(message.raw) || '(no subject)';
  const cells = [message.from || '<>', message.to.join(', ')].map((text) => `<td>${escape(text)}</td>`).join('');
  return `<tr><td>${message.receivedAt}</td>${cells}<td><a href="/messages/${message.id}">${escape(subject)}</a></td><td>${message.tls ? 'yes' : 'no'}</td><td>${message.raw.length}</td></tr>`;
}

function subjectOf(raw: Buffer): string {
  const text = raw.toString('utf8', 0, SUBJECT_SEARCH_BYTES);
  const end = text.indexOf('\r\n\r\n');
  const header = end < 0 ? text : text.slice(0, end);
  return /^subject:[ \t]*(.*)$/im.exec(header)?.[1]?.trim() ?? '';
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
