import { createService, type CreatedService } from '@lethe/service';
import { DeliveryModule } from '../../src/app.module.ts';
import { config } from '../../src/config.ts';

/** The service in this process. */
export function startDelivery(environment: Record<string, string>): Promise<CreatedService> {
  return createService({ name: 'delivery', module: DeliveryModule, config }, { environment });
}
