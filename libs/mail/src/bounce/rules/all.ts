import { ADDRESS_RULES, REFUSED_RULES } from '../broad/address.rules.ts';
import { FILTER_RULES } from '../broad/filter.rules.ts';
import { MAILBOX_RULES } from '../broad/mailbox.rules.ts';
import { SENDER_RULES } from '../broad/sender.rules.ts';
import { DOMAIN_RULES, NAME_RULES, POLICY_RULES, SYSTEM_RULES } from '../broad/system.rules.ts';
import { GATEWAY_RULES } from '../providers/gateway.rules.ts';
import { GOOGLE_RULES } from '../providers/google.rules.ts';
import { MICROSOFT_RULES } from '../providers/microsoft.rules.ts';
import { PROVIDER_RULES } from '../providers/provider.rules.ts';
import { AGENT_RULES } from './agent.rules.ts';
import type { Rule } from './rule.ts';

export { KINDS } from './kinds.ts';
export { CERTAIN_RULES, WORDED_RULES } from './order.rules.ts';
export { PROGRAM_RULES } from './program.rules.ts';

/** Who delivers into a mailbox, and single providers: their own sentences come before what everybody says. */
export const OWN_RULES: readonly Rule[] = [
  ...AGENT_RULES,
  ...MICROSOFT_RULES,
  ...GOOGLE_RULES,
  ...GATEWAY_RULES,
  ...PROVIDER_RULES,
];

/**
 * Read from the top where nobody's sentence was recognised: words that mostly mean one thing, in any sentence. What is held
 * against us stands before everything that says "unknown user".
 */
export const BROAD_RULES: readonly Rule[] = [
  ...MAILBOX_RULES,
  ...SENDER_RULES,
  ...FILTER_RULES,
  ...ADDRESS_RULES,
  ...DOMAIN_RULES,
  ...NAME_RULES,
  ...POLICY_RULES,
  ...SYSTEM_RULES,
  ...REFUSED_RULES,
];
