import type { LifecycleRule } from '@aws-sdk/client-s3';
import { BODIES, INSTRUCTED } from './body-keys.ts';
import type { Bucket } from './bucket.ts';

/**
 * A bucket's rules count whole days, and S3 rounds up to the next midnight (UTC): with these many, what nobody deletes is gone within
 * the seven (thirty) days of the limit, and never before the drop time, which is within them.
 */
export const LONGEST_DAYS = { [BODIES]: 6, [INSTRUCTED]: 29 } as const;

type Prefix = keyof typeof LONGEST_DAYS;
const PREFIXES = Object.keys(LONGEST_DAYS) as Prefix[];

const ruleOf = (prefix: Prefix): LifecycleRule => ({
  ID: `lethe-${prefix.slice(0, -1)}`,
  Status: 'Enabled',
  Filter: { Prefix: prefix },
  Expiration: { Days: LONGEST_DAYS[prefix] },
});

/** Adds the rules that delete what nobody else did, where none does so. Others' rules stay. */
export async function ensureRules(bucket: Bucket): Promise<void> {
  const rules = await bucket.rules();
  const missing = PREFIXES.filter((prefix) => !rules.some((rule) => isEnough(rule, prefix))).map(ruleOf);
  const ours = new Set(missing.map(({ ID }) => ID));
  if (missing.length > 0) await bucket.setRules([...rules.filter(({ ID }) => !ours.has(ID)), ...missing]);
}

/** Why a bucket cannot be used: for a log, and for whoever runs the platform. */
export interface Unfit {
  readonly reason: 'KeepsVersions' | 'RuleDeletesEarly' | 'RuleIsMissing';
  readonly advice: string;
}

/** Whether what is deleted is gone, and what is not deleted goes, and not too early. Undefined: all of it. */
export async function unfitness(bucket: Bucket): Promise<Unfit | undefined> {
  const [versioning, rules] = await Promise.all([bucket.versioning(), bucket.rules()]);
  if (versioning !== undefined) {
    return {
      reason: 'KeepsVersions',
      advice: `The bucket keeps versions (${versioning}): what is deleted would stay. Use one whose versioning was never enabled.`,
    };
  }
  for (const prefix of PREFIXES) {
    const days = LONGEST_DAYS[prefix];
    if (rules.some((rule) => isEarly(rule, prefix))) {
      return {
        reason: 'RuleDeletesEarly',
        advice: `A lifecycle rule of the bucket deletes what begins with ${prefix} in less than ${days} days, mail that waits among it. Remove the rule.`,
      };
    }
    if (!rules.some((rule) => isEnough(rule, prefix))) {
      return {
        reason: 'RuleIsMissing',
        advice: `The bucket has no lifecycle rule that deletes what begins with ${prefix} after ${days} days. Run the migrate step of ingest, or add the rule.`,
      };
    }
  }
  return undefined;
}

const prefixOf = ({ Filter, Prefix }: LifecycleRule): string => Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '';

const isEnabled = ({ Status }: LifecycleRule): boolean => Status === 'Enabled';

/** For all of them, whatever their tags and sizes. */
function isEnough(rule: LifecycleRule, below: Prefix): boolean {
  const { Filter } = rule;
  const narrowed =
    Filter?.And !== undefined ||
    Filter?.Tag !== undefined ||
    Filter?.ObjectSizeGreaterThan !== undefined ||
    Filter?.ObjectSizeLessThan !== undefined;
  return (
    isEnabled(rule) && !narrowed && below.startsWith(prefixOf(rule)) && rule.Expiration?.Days === LONGEST_DAYS[below]
  );
}

/** For some of them at least. */
function isEarly(rule: LifecycleRule, below: Prefix): boolean {
  const prefix = prefixOf(rule);
  const { Days, Date: date } = rule.Expiration ?? {};
  const concerns = below.startsWith(prefix) || prefix.startsWith(below);
  return isEnabled(rule) && concerns && (date !== undefined || (Days !== undefined && Days < LONGEST_DAYS[below]));
}
