import type { LifecycleRule } from '@aws-sdk/client-s3';
import { BODIES } from './body-keys.ts';
import type { Bucket } from './bucket.ts';

/**
 * A bucket's rules count whole days, and S3 rounds up to the next midnight (UTC): with this many, what nobody deletes is gone within
 * the seven days of the limit, and never before the drop time, which is within them.
 */
export const LONGEST_DAYS = 6;

const RULE: LifecycleRule = {
  ID: 'lethe-bodies',
  Status: 'Enabled',
  Filter: { Prefix: BODIES },
  Expiration: { Days: LONGEST_DAYS },
};

/** Adds the rule that deletes what nobody else did, if none does so. Others' rules stay. */
export async function ensureRule(bucket: Bucket): Promise<void> {
  const rules = await bucket.rules();
  if (!rules.some(isEnough)) await bucket.setRules([...rules.filter(({ ID }) => ID !== RULE.ID), RULE]);
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
  if (rules.some(isEarly)) {
    return {
      reason: 'RuleDeletesEarly',
      advice: `A lifecycle rule of the bucket deletes what begins with ${BODIES} in less than ${LONGEST_DAYS} days, mail that waits among it. Remove the rule.`,
    };
  }
  if (!rules.some(isEnough)) {
    return {
      reason: 'RuleIsMissing',
      advice: `The bucket has no lifecycle rule that deletes what begins with ${BODIES} after ${LONGEST_DAYS} days. Run the migrate step of ingest, or add the rule.`,
    };
  }
  return undefined;
}

const prefixOf = ({ Filter, Prefix }: LifecycleRule): string => Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '';

const isEnabled = ({ Status }: LifecycleRule): boolean => Status === 'Enabled';

/** For all bodies, whatever their tags and sizes. */
function isEnough(rule: LifecycleRule): boolean {
  const { Filter } = rule;
  const narrowed =
    Filter?.And !== undefined ||
    Filter?.Tag !== undefined ||
    Filter?.ObjectSizeGreaterThan !== undefined ||
    Filter?.ObjectSizeLessThan !== undefined;
  return isEnabled(rule) && !narrowed && BODIES.startsWith(prefixOf(rule)) && rule.Expiration?.Days === LONGEST_DAYS;
}

/** For some bodies at least. */
function isEarly(rule: LifecycleRule): boolean {
  const prefix = prefixOf(rule);
  const { Days, Date: date } = rule.Expiration ?? {};
  const concerns = BODIES.startsWith(prefix) || prefix.startsWith(BODIES);
  return isEnabled(rule) && concerns && (date !== undefined || (Days !== undefined && Days < LONGEST_DAYS));
}
