import type { Demo } from '@lethe/testing';
import type { Arrived } from './first-message.ts';
import type { Running } from './running-file.ts';

export interface Welcome {
  readonly gateway: string;
  readonly worldHttp: string;
  readonly demo: Demo;
  readonly submission: NonNullable<Running['submission']>;
  /** Null where mail does not go to the SMTP world. */
  readonly first: Arrived | null;
  readonly logs: string;
  readonly runningFile: string;
}

const indent = (text: string): string => text.replaceAll('\r', '').replaceAll(/^/gm, '    ').trimEnd();

/** What a person sees once everything runs. */
export function welcome({ gateway, worldHttp, demo, submission, first, logs, runningFile }: Welcome): string {
  const arrived = first && [
    '  The first message, as it arrived:',
    indent(first.raw),
    '  Its events:',
    first.events.length > 0 ? indent(first.events.join('\n')) : '    none found yet; see the log of events',
  ];
  return [
    '',
    ...(arrived ?? ['  No first message was sent: OUTBOUND_ROUTE leads out of the SMTP world.']),
    `  gateway      ${gateway}
  by SMTP      ${submission.host}, port ${submission.port} (STARTTLS) or ${submission.tlsPort} (TLS), as ${submission.user}, password ${submission.password}
  what arrived ${worldHttp}
  logs         ${logs}
  keys         ${runningFile}`,
    '  Send one yourself:',
    indent(curlLine(gateway, demo)),
    '  Its events:',
    indent(`curl -s --user 'api:${demo.apiKey}' '${gateway}/v3/${demo.domain}/events?limit=5'`),
    '  `npm run reset` removes the data.',
    '',
  ].join('\n\n');
}

/** A line that works when pasted into a shell. */
export function curlLine(gateway: string, { apiKey, domain }: Demo): string {
  return [
    `curl -s --user 'api:${apiKey}' ${gateway}/v3/${domain}/messages`,
    `-F from='you@${domain}' -F to='ok@world.example' -F subject='Hello' -F text='Hello, Lethe'`,
  ].join(' \\\n  ');
}
