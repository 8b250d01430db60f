import type { Rule } from './rule.ts';

const AT_DELIVERY = ['DATA', 'unknown'] as const;

/** One agent's sentences; it is recognised by how it begins them. */
const agent = (by: string, rules: readonly (readonly [Rule['reason'], string])[]): Rule[] =>
  rules.map(([reason, says]) => ({
    reason,
    at: AT_DELIVERY,
    // Both have to stand there, in any order: who speaks, and what is said.
    besides: by,
    says,
  }));

/**
 * Programs that deliver into a mailbox and are quoted by the server behind which they stand. Their sentences are in their
 * sources; the selection follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const AGENT_RULES: readonly Rule[] = [
  ...agent('your message to … was automatically rejected', [
    ['mailbox-full', 'not enough disk space | quota exceeded'],
    ['unknown-user', 'mailbox doesnt exist'],
  ]),
  ...agent('mail local', [
    ['mailbox-full', 'disc quota exceeded | mailbox full or quota exceeded'],
    ['system', 'temporary file write error'],
    ['unknown-user', 'invalid mailbox path | unknown user | user missing home directory | user unknown'],
  ]),
  ...agent('procmail', [
    ['mailbox-full', 'quota exceeded while writing | user over quota'],
    ['system', 'service unavailable'],
    ['system-full', 'no space left to finish writing'],
  ]),
  ...agent('maildrop', [
    ['mailbox-full', 'maildir over quota'],
    ['unknown-user', 'cannot find system user | invalid user specified'],
  ]),
  ...agent('vdelivermail', [
    ['filtered', 'user does not exist but will deliver to'],
    ['mailbox-full', 'domain is over quota | user is over quota'],
    ['disabled', 'account is locked email bounced'],
    ['unknown-user', 'sorry no mailbox here by that name'],
  ]),
  ...agent('vdeliver', [
    ['mailbox-full', 'delivery failed due to system quota violation'],
    [
      'unknown-user',
      `invalid or unknown base user or domain | invalid or unknown virtual user
        | user name does not refer to a virtual user`,
    ],
  ]),
  {
    reason: 'mailer',
    at: AT_DELIVERY,
    says: 'your message to … was automatically rejected | mail local | procmail | maildrop | vdelivermail | vdeliver',
  },
];
