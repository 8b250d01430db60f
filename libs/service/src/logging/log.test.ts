import { describe, expect, it } from 'vitest';
import { NestLog, kafkaLogCreator } from './framework-logs.ts';
import { createLog } from './log.ts';
import type { LogFields } from './fields.ts';

const ADDRESS = 'jane.doe@example.org';
const SUBJECT = 'Your test results are here';
const SECRET = 'key 3ax6xnjp29jd6fds4gc373sgvjxteol0';
const PERSONAL = [
  ADDRESS,
  'jane.doe',
  'jane.doe%40example.org',
  'example.org',
  SUBJECT,
  'results',
  SECRET,
  '3ax6xnjp29jd6fds4gc373sgvjxteol0',
];

function recorded(use: (log: ReturnType<typeof createLog>) => void): string {
  let output = '';
  use(createLog({ service: 'probe', level: 'debug', destination: { write: (line) => (output += line) } }));
  return output;
}

/** What of the personal texts a log shows; one that shows nothing at all proves nothing. */
function shown(output: string): string[] {
  return output === '' ? ['no output'] : PERSONAL.filter((personal) => output.includes(personal));
}

describe('Log', () => {
  it('writes the event and allowed fields as one line of JSON', () => {
    const output = recorded((log) => log.info('message.accepted', { messageId: 'a-1', recipients: 3 }));
    expect(JSON.parse(output)).toMatchObject({
      level: 'info',
      service: 'probe',
      event: 'message.accepted',
      messageId: 'a-1',
      recipients: 3,
    });
  });

  for (const planted of [ADDRESS, 'jane.doe%40example.org', SUBJECT, SECRET]) {
    const positions: [string, string, LogFields][] = [
      ['the event', planted, {}],
      ['an unknown field', 'probe.said', { text: planted }],
      ['a field name', 'probe.said', { [planted]: 1 }],
      ['an id', 'probe.said', { messageId: planted }],
      ['an enumeration', 'probe.said', { reason: planted }],
      ['a route', 'probe.said', { route: `/v3/${planted}` }],
      ['an origin', 'probe.said', { origin: `http://${planted}` }],
      ['a nested field', 'probe.said', { kind: { deep: [planted] } } as unknown as LogFields],
      ['an error that is text', 'probe.failed', { error: planted }],
      ['an error message', 'probe.failed', { error: new Error(planted) }],
      ['an error name', 'probe.failed', { error: Object.assign(new Error('x'), { name: planted }) }],
      ['an error code', 'probe.failed', { error: Object.assign(new Error('x'), { code: planted }) }],
      ['an error property', 'probe.failed', { error: Object.assign(new Error('x'), { detail: planted }) }],
      ['a cause', 'probe.failed', { error: new Error('x', { cause: new Error(planted) }) }],
      ['a cause that is text', 'probe.failed', { error: new Error('x', { cause: planted }) }],
      ['a stack', 'probe.failed', { error: withStack(`Error: x\n    at ${planted} (${planted}:1:1)`) }],
      [
        'a message made like a stack',
        'probe.failed',
        { error: new Error(`x\n    at ${planted} (/a/jane.doe.js:1:1)`) },
      ],
    ];
    for (const [where, event, fields] of positions) {
      it(`keeps "${planted.slice(0, 8)}…" out when it stands in ${where}`, () => {
        const output = recorded((log) => log.error(event, fields));
        expect(shown(output)).toEqual([]);
      });
    }
  }

  it('says how many fields it dropped', () => {
    const output = recorded((log) => log.info('probe.said', { subject: SUBJECT, to: ADDRESS }));
    expect(JSON.parse(output)).toMatchObject({ droppedFields: 2 });
  });

  it('says of an error its kind, its code and where it was thrown', () => {
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const output = recorded((log) => log.error('probe.failed', { error: new TypeError('x', { cause }) }));
    expect(JSON.parse(output)).toMatchObject({
      error: { name: 'TypeError', class: 'programming', cause: { code: 'ECONNREFUSED', class: 'connection' } },
    });
    expect(output).toMatch(/"at":\["log\.test\.ts:\d+"/);
  });
});

describe('logs of frameworks', () => {
  it("keeps Nest's origin and drops its text", () => {
    const output = recorded((log) => {
      const nest = new NestLog(log);
      nest.error(`Failed for ${ADDRESS}`, new Error(SUBJECT).stack, 'ExceptionsHandler');
      nest.warn(SUBJECT, 'Router');
      nest.log(SECRET, 'Loader');
    });
    expect(shown(output)).toEqual([]);
    expect(output).toContain('"context":"ExceptionsHandler"');
  });

  it("keeps kafkajs' part, group and kind of error and drops its text", () => {
    const output = recorded((log) => {
      const write = kafkaLogCreator(log)();
      write({
        namespace: 'Connection',
        level: 1,
        log: { message: ADDRESS, groupId: 'ingest', error: `connect ECONNREFUSED for ${ADDRESS}` },
      });
    });
    expect(shown(output)).toEqual([]);
    expect(JSON.parse(output)).toMatchObject({ context: 'Connection', group: 'ingest', reason: 'connection' });
  });
});

function withStack(stack: string): Error {
  return Object.assign(new Error('x'), { stack });
}
