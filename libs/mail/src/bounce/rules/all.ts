import { phrase, type Phrase } from '../words.ts';
import { ADDRESS_RULES, REFUSED_RULES } from './address.rules.ts';
import { FILTER_RULES } from './filter.rules.ts';
import { MAILBOX_RULES } from './mailbox.rules.ts';
import { PROVIDER_RULES } from './provider.rules.ts';
import type { Rule } from './rule.ts';
import { SENDER_RULES } from './sender.rules.ts';
import { DOMAIN_RULES, NAME_RULES, POLICY_RULES, SYSTEM_RULES } from './system.rules.ts';

export interface PreparedRule extends Rule {
  phrases: readonly Phrase[];
}

const prepare = (rules: readonly Rule[]): PreparedRule[] =>
  rules.map((rule) => ({ ...rule, phrases: rule.says === undefined ? [] : rule.says.split('|').map(phrase) }));

/** Read from the top, before the status of the failure is believed. */
export const FIRST_RULES = prepare(PROVIDER_RULES);

/** Read from the top; the first that fits is the reason. */
export const RULES = prepare([
  ...MAILBOX_RULES,
  ...SENDER_RULES,
  ...FILTER_RULES,
  ...ADDRESS_RULES,
  ...DOMAIN_RULES,
  ...NAME_RULES,
  ...POLICY_RULES,
  ...SYSTEM_RULES,
  ...REFUSED_RULES,
]);
