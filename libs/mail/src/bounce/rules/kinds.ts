import type { BounceReason } from '../reasons.ts';

/** Kinds of a reason that say better what to do; the first that fits. */
export const KINDS: readonly { of: BounceReason; reason: BounceReason; says: string }[] = [
  {
    of: 'blocked',
    reason: 'greylisted',
    says: `greylist | greylisted | greylisting | graylist | graylisted | graylisting | grey list | grey listed | gray list
      | gray listed`,
  },
  {
    of: 'blocked',
    reason: 'listed',
    says: `blocklist | block list | blocklisted | blacklist | blacklisted | black list | black listed | denylist | deny list
      | dnsbl | rbl | spamhaus | spamcop | barracudacentral | sorbs | abuseat | listed in | listed on | listed at | is listed
      | are listed | listed by`,
  },
  {
    of: 'network',
    reason: 'loop',
    says: `too many hops | hop count exceeded | mail loop | mail forwarding loop | routing loop | message looping
      | forwarding loop count | loop detected | maximum hop count`,
  },
  {
    of: 'network',
    reason: 'dns',
    says: `host not found | name server | nameserver | dns | host name lookup | name service | nxdomain
      | no relevant answers`,
  },
];
