import { describe, expect, it } from 'vitest';
import { explainBounce, type ExplainedBounce } from './explain.ts';

const message = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
const told = ({ recipient, enhancedCode, replyCode, reason, hard }: ExplainedBounce) =>
  [recipient, enhancedCode ?? '', replyCode ?? '', reason, hard ? 'hard' : 'soft'].join(' ');
const explained = (raw: Buffer) => explainBounce(raw).map(told);

const FROM = 'From: Mail Delivery System <MAILER-DAEMON@mx.example>';
const dsn = (text: string[], ...groups: string[][]) =>
  message(
    FROM,
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    ...text,
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    '',
    ...groups.flatMap((group) => [...group, '']),
    '--b',
    'Content-Type: message/rfc822',
    '',
    'Subject: the returned message',
    '',
    '<other@c.example>: 550 5.1.1 user unknown (in reply to RCPT TO command)',
    '--b--',
  );

describe('a delivery status notification (RFC 3464)', () => {
  it('is explained for each of its recipients, in their order', () => {
    const raw = dsn(
      [],
      ['Final-Recipient: rfc822; gone@b.example', 'Action: failed', 'Status: 5.1.1', 'Diagnostic-Code: smtp; 550 no'],
      [
        'Final-Recipient: rfc822;<Full@b.example>',
        'Action: failed',
        'Status: 5.0.0 (see below)',
        'Diagnostic-Code: smtp; 552-5.2.2 over',
        '  552 5.2.2 quota',
      ],
      ['Final-Recipient: rfc822; fine@b.example', 'Action: delivered', 'Status: 2.0.0'],
      ['Final-Recipient: rfc822; late@b.example', 'Action: delayed', 'Status: 4.4.1'],
    );
    expect(explained(raw)).toEqual([
      'gone@b.example 5.1.1 550 unknown-user hard',
      'full@b.example 5.2.2 552 mailbox-full soft',
      'fine@b.example 2.0.0  delivered soft',
      'late@b.example 4.4.1  expired soft',
    ]);
  });

  it('is heard with the text around it, where there is only one recipient', () => {
    const fields = [
      'Final-Recipient: rfc822; a@b.example',
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 user unknown',
    ];
    const rejected = 'Your message to <a> was automatically rejected:\r\nNot enough disk space';
    expect(explained(dsn([rejected], fields))).toEqual(['a@b.example 5.1.1 550 mailbox-full soft']);
    const other = fields.map((one) => one.replace('a@b', 'c@d'));
    expect(explained(dsn([rejected], fields, other))).toEqual([
      'a@b.example 5.1.1 550 unknown-user hard',
      'c@d.example 5.1.1 550 unknown-user hard',
    ]);
  });

  it('believes what PowerMTA has made of the session', () => {
    const fields = ['Final-Recipient: rfc822; a@b.example', 'Action: failed', 'Status: 5.0.0'];
    expect(explained(dsn([], [...fields, 'X-PowerMTA-BounceCategory: quota-issues']))).toEqual([
      'a@b.example 5.0.0  mailbox-full soft',
    ]);
    const said = 'Diagnostic-Code: smtp; 550 mailbox is full';
    expect(explained(dsn([], [...fields, said, 'X-PowerMTA-BounceCategory: bad-mailbox']))).toEqual([
      'a@b.example 5.0.0 550 mailbox-full soft',
    ]);
  });

  it.each([
    ['5.3.2', 'smtp; 550 host does not accept mail, a temporary state', 'hard'],
    ['4.3.2', 'smtp; 450 host does not accept mail', 'soft'],
    ['', 'smtp; host does not accept mail temporarily', 'soft'],
    ['', 'smtp; host does not accept mail', 'hard'],
  ])('a domain that takes no mail (%j, %j) is %s', (status, diagnostic, hard) => {
    const fields = ['Final-Recipient: rfc822; a@b.example', 'Action: failed', `Status: ${status}`];
    expect(explained(dsn([], [...fields, `Diagnostic-Code: ${diagnostic}`]))).toEqual([
      expect.stringMatching(new RegExp(`takes-no-mail ${hard}$`)),
    ]);
  });

  it('counts a recipient once whose fields are given twice', () => {
    const fields = ['Final-Recipient: rfc822; a@b.example', 'Action: failed', 'Status: 5.1.1'];
    const twice = [
      '--b',
      'Content-Type: text/plain',
      '',
      ...fields,
      '',
      '--b',
      'Content-Type: text/x-report',
      '',
      ...fields,
    ];
    const head = [FROM, 'Content-Type: multipart/mixed; boundary=b', ''];
    expect(explained(message(...head, ...twice, '--b--'))).toEqual(['a@b.example 5.1.1  unknown-user hard']);
  });

  it('believes the server before the reporter, who says 5.1.1 whatever RCPT was refused for', () => {
    const fields = [
      'Final-Recipient: rfc822; a@b.example',
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.7.1 192.0.2.1 is listed by a blocklist',
    ];
    expect(explained(dsn([], fields))).toEqual(['a@b.example 5.7.1 550 listed soft']);
  });

  const unknown = [
    'Final-Recipient: rfc822; a@b.example',
    'Action: failed',
    'Status: 5.0.0',
    'Diagnostic-Code: smtp; 550 user unknown',
  ];
  it.each([
    ['<a@b.example>: host b.example said: 550 user unknown (in reply to RCPT TO command)', 'unknown-user hard'],
    ['<a@b.example>: host b.example said: 550 user unknown (in reply to end of DATA command)', 'filtered soft'],
    ['>>> RCPT TO:<a@b.example>\r\n<<< 550 user unknown', 'unknown-user hard'],
    ['>>> DATA\r\n<<< 550 user unknown', 'filtered soft'],
    ['nothing more', 'filtered soft'],
  ])('an unknown user is only hard where RCPT was answered: %j', (text, expected) => {
    expect(explained(dsn([text], unknown))).toEqual([`a@b.example 5.0.0 550 ${expected}`]);
  });

  it('is heard where its fields say nothing, and not contradicted by the message it returns', () => {
    const fields = ['Final-Recipient: rfc822; a@b.example', 'Action: failed', 'Status: 5.0.0'];
    expect(explained(dsn(['The mailbox of a@b.example is full.'], fields))).toEqual([
      'a@b.example 5.0.0  mailbox-full soft',
    ]);
    expect(explained(dsn(['It failed.'], fields))).toEqual(['a@b.example 5.0.0  unclear soft']);
    expect(explained(dsn([], fields))).toEqual(['a@b.example 5.0.0  unsaid soft']);
  });

  it('is found where its structure is broken, and where a person has forwarded it', () => {
    const fields = ['Final-Recipient: rfc822; a@b.example', 'Action: failed', 'Status: 5.1.1'];
    const broken = ['Content-Type: multipart/report; boundary=missing', '', 'It failed', '', ...fields];
    expect(explained(message(FROM, ...broken))).toEqual(['a@b.example 5.1.1  unknown-user hard']);
    const quoted = [
      'From: jane@c.example',
      'Subject: Fwd: Returned mail',
      '',
      'Look:',
      ...fields.map((one) => `> ${one}`),
    ];
    expect(explained(message(...quoted))).toEqual(['a@b.example 5.1.1  unknown-user hard']);
  });

  it('reads encodings and charsets, and survives those nobody knows', () => {
    const part = (charset: string, encoding: string, text: string) =>
      message(FROM, `Content-Type: text/plain; charset=${charset}`, `Content-Transfer-Encoding: ${encoding}`, '', text);
    const text = '<a@b.example>:\r\nメールボックスが一杯です';
    const base64 = Buffer.from(text).toString('base64');
    expect(explained(part('utf-8', 'base64', base64))).toEqual(['a@b.example   mailbox-full soft']);
    expect(explained(part('nonsense', 'base64', base64))).toEqual(['a@b.example   unclear soft']);
    expect(explained(part('utf-8', 'quoted-printable', '<a@b.example>:\r\nmail=\r\nbox=20full =ZZ'))).toEqual([
      'a@b.example   mailbox-full soft',
    ]);
  });
});

describe('a report in prose', () => {
  it.each([
    ['qmail', ['<a@b.example>:', '192.0.2.1 does not like recipient.', 'Remote host said: 550 no such user']],
    [
      'Exim',
      ['  a@b.example', '    SMTP error from remote mail server after RCPT TO:<a@b.example>:', '    550 no such user'],
    ],
    ['Sendmail', ['>>> RCPT To:<a@b.example>', '<<< 550 no such user', '550 <a@b.example>... User unknown']],
    [
      'InterScan',
      ['Sent <<< RCPT TO:<a@b.example>', 'Received >>> 550 no such user', 'Unable to deliver message to <a@b.example>'],
    ],
    ['Yahoo', ['<a@b.example>:', 'Remote host said:', '550 no such user', '[RCPT_TO]']],
  ])('of %s is explained', (_, lines) => {
    const returned = ['', '--- Below this line is a copy of the message.', '', 'To: <x@y.example>', 'mailbox full'];
    expect(explained(message(FROM, 'To: me@c.example', '', 'Sorry.', '', ...lines, ...returned))).toEqual([
      'a@b.example  550 unknown-user hard',
    ]);
  });

  it('has an answer for each address', () => {
    const lines = ['<a@b.example>: mailbox full', '<c@d.example>: unknown host d.example', '<me@c.example>: (sender)'];
    expect(explained(message(FROM, 'To: <me@c.example>', '', ...lines))).toEqual([
      'a@b.example   mailbox-full soft',
      'c@d.example   unknown-host hard',
    ]);
  });

  it('is about those whom a header lists where the text names nobody, and not about who has written', () => {
    const failed = 'X-Failed-Recipients: a@b.example, c@d.example';
    expect(explained(message(FROM, failed, '', 'The group may not exist.'))).toEqual([
      'a@b.example   unclear soft',
      'c@d.example   unclear soft',
    ]);
    const sent = ['A message sent by', '', '  <me@x.example>', '', 'could not be delivered:'];
    const one = ['', '  a@b.example', '    mailbox is full'];
    expect(explained(message(FROM, '', ...sent, ...one))).toEqual(['a@b.example   mailbox-full soft']);
  });

  it('of a system that speaks for itself needs no command', () => {
    const own = [FROM, 'Subject: Undeliverable Mail', '', 'Unknown user: a@b.example'];
    expect(explained(message(...own))).toEqual(['a@b.example   unknown-user hard']);
  });

  it('is read from HTML where there is nothing else', () => {
    const html = '<style>p{}</style><p>Failed:</p><p>a@b.example<br>The mailbox&nbsp;is <b>full</b></p>';
    expect(explained(message(FROM, 'Content-Type: text/html', '', html))).toEqual(['a@b.example   mailbox-full soft']);
  });
});

describe('what else comes back', () => {
  it('a complaint (RFC 5965), for each original recipient', () => {
    const report = ['--b', 'Content-Type: message/feedback-report', '', 'Feedback-Type: abuse'];
    const rest = ['Original-Rcpt-To: a@b.example', 'Original-Rcpt-To: c@d.example', '--b--'];
    const head = ['From: fbl@p.example', 'Content-Type: multipart/report; report-type=feedback-report; boundary=b', ''];
    expect(explained(message(...head, ...report, ...rest))).toEqual([
      'a@b.example   complaint soft',
      'c@d.example   complaint soft',
    ]);
    expect(explained(message(...head, ...report, '--b--'))).toEqual(['   complaint soft']);
  });

  it('a complaint in older forms, and Apple’s word that somebody wants no more', () => {
    const mixed = 'Content-Type: multipart/mixed; boundary=b';
    const subject = 'Subject: complaint about message from 192.0.2.1';
    expect(explained(message('From: staff@hotmail.com', subject, mixed, '', '--b', '', 'x', '--b--'))).toEqual([
      '   complaint soft',
    ]);
    expect(explained(message('From: jane@c.example', subject, mixed, '', '--b', '', 'x', '--b--'))).toEqual([]);
    const removal = ['--b', 'Content-Type: message/feedback-report', '', 'Feedback-Type: opt-out'];
    const head = ['From: fbl@p.example', 'Content-Type: multipart/report; report-type=feedback-report; boundary=b', ''];
    expect(explained(message(...head, ...removal, 'Removal-Recipient: a@b.example', '--b--'))).toEqual([
      'a@b.example   complaint soft',
    ]);
    expect(explained(message('From: jane@b.example', 'X-Apple-Unsubscribe: true', '', ''))).toEqual([
      '   complaint soft',
    ]);
  });

  it('an automatic reply (RFC 3834), and a request to unsubscribe', () => {
    const away = ['From: jane@b.example', 'Auto-Submitted: auto-replied', 'Subject: Re: Hello', '', 'I am away.'];
    expect(explained(message(...away))).toEqual(['   auto-reply soft']);
    expect(explained(message('From: jane@b.example', 'Subject: Out of office: Hello', '', 'Back soon'))).toEqual([
      '   auto-reply soft',
    ]);
    expect(explained(message('From: jane@b.example', 'Subject: unsubscribe', '', ''))).toEqual(['   unsubscribe soft']);
  });

  it('a notification of Amazon SES, as it is or wrapped by SNS, in broken lines', () => {
    const recipient = { emailAddress: 'a@b.example', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' };
    const bounce = JSON.stringify({ notificationType: 'Bounce', bounce: { bouncedRecipients: [recipient] } });
    const expected = ['a@b.example 5.1.1 550 unknown-user hard'];
    const head = ['From: no-reply@sns.example', ''];
    expect(explained(message(...head, bounce.replace('user', 'us\r\n er'), '--', 'bye'))).toEqual(expected);
    expect(explained(message(...head, JSON.stringify({ Message: bounce }, null, 1)))).toEqual(expected);
    const complaint = { notificationType: 'Complaint', complaint: { complainedRecipients: [recipient] } };
    expect(explained(message(...head, JSON.stringify(complaint)))).toEqual(['a@b.example   complaint soft']);
    const delivery = {
      notificationType: 'Delivery',
      delivery: { recipients: ['a@b.example'], smtpResponse: '250 2.6.0 ok' },
    };
    expect(explained(message(...head, JSON.stringify(delivery)))).toEqual(['a@b.example 2.6.0 250 delivered soft']);
  });

  it('an mbox of bounces (RFC 4155)', () => {
    const one = (address: string) => [
      'From MAILER-DAEMON  Thu Jul  2 12:05:05 2026',
      FROM,
      '',
      `<${address}>:`,
      'mailbox full',
      '',
    ];
    expect(explained(message(...one('a@b.example'), ...one('c@d.example')))).toEqual([
      'a@b.example   mailbox-full soft',
      'c@d.example   mailbox-full soft',
    ]);
  });

  it('nothing for what is no bounce', () => {
    expect(
      explained(message('From: jane@b.example', 'Subject: Hello', '', 'My mailbox is full of spam', 'x@y.example')),
    ).toEqual([]);
    const receipt = 'Content-Type: multipart/report; report-type=disposition-notification; boundary=b';
    expect(explained(message('From: jane@b.example', receipt, '', '--b', '', 'Read.', '--b--'))).toEqual([]);
    expect(explained(Buffer.alloc(0))).toEqual([]);
    expect(explained(Buffer.from([0, 1, 2, 0xff, 0xfe]))).toEqual([]);
  });
});
