import { Shred1764300000000 } from '../../shred/shred.migration.ts';
import { StsPolicy1764500100000 } from '../../sts/sts.migration.ts';
import { WarmUp1764500200000 } from '../../pools/warm-up.migration.ts';
import { AcceptedAt1764000000001 } from './accepted-at.migration.ts';
import { Deferred1764000000000 } from './deferred.migration.ts';
import { DomainIndex1764500000000 } from './domain-index.migration.ts';
import { Holds1764400000000 } from './holds.migration.ts';

export const MIGRATIONS = [
  Deferred1764000000000,
  AcceptedAt1764000000001,
  Shred1764300000000,
  Holds1764400000000,
  DomainIndex1764500000000,
  StsPolicy1764500100000,
  WarmUp1764500200000,
];
