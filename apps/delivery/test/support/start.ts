import { acceptForms, createService, type CreatedService } from '@lethe/service';
import { DeliveryModule } from '../../src/app.module.ts';
import { config } from '../../src/config.ts';

/** The service in this process. */
export function startDelivery(environment: Record<string, string>): Promise<CreatedService> {
  return createService({ name: 'delivery', module: DeliveryModule, config, configure: acceptForms }, { environment });
}

/** The same, and it listens. */
export async function serveDelivery(environment: Record<string, string>): Promise<CreatedService> {
  const service = await startDelivery(environment);
  await service.app.listen(0, '127.0.0.1');
  return service;
}
