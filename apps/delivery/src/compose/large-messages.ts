import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { ByteBudget, type Taken } from './byte-budget.ts';

/** Smaller ones are bounded by how many attempts there are at once. */
const LARGE_BYTES = 65_536;
const NOTHING: Taken = { more: () => true, release: () => {} };

/** Memory for large messages under way. An attempt that gets none comes back, and small ones pass it. */
@Injectable()
export class LargeMessages {
  private readonly budget: ByteBudget;

  constructor(@Inject(CONFIG) config: DeliveryConfig) {
    this.budget = new ByteBudget(config.LARGE_MESSAGES_BYTES);
  }

  /** Undefined: there is no memory for it now. */
  take(size: number): Taken | undefined {
    return size > LARGE_BYTES ? this.budget.take(size) : NOTHING;
  }
}
