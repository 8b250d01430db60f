import { Ledger1764200100000 } from './1764200100000-ledger.ts';
import { Closings1764200500000 } from './1764200500000-closings.ts';
import { Certificates1764200200000 } from './1764200200000-certificates.ts';
import { Requests1764200000000 } from './1764200000000-requests.ts';
import { ReleasedKeys1764200400000 } from './1764200400000-released-keys.ts';
import { Retention1764200300000 } from './1764200300000-retention.ts';

/** In order; each is applied once and never edited after a release. */
export const MIGRATIONS = [
  Requests1764200000000,
  Ledger1764200100000,
  Certificates1764200200000,
  Retention1764200300000,
  ReleasedKeys1764200400000,
  Closings1764200500000,
];
