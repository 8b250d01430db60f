import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { MemoryBudget } from '../form/memory.budget.ts';

/** Memory for showing messages, apart from that for accepting them: whoever reads slowly keeps no mail out. */
@Injectable()
export class ReadingBudget extends MemoryBudget {
  constructor(@Inject(CONFIG) config: IngestConfig) {
    super({ ...config, BYTES_IN_FLIGHT: config.STORED_BYTES_IN_FLIGHT });
  }

  protected override busy(): ApiError {
    return new ApiError(503, 'too many stored messages are being read: try again', { retryAfterSeconds: 2 });
  }
}
