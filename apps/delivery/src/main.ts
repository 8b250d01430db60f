import { acceptForms, startService } from '@lethe/service';
import { DeliveryModule } from './app.module.ts';
import { config } from './config.ts';

await startService({ name: 'delivery', module: DeliveryModule, config, configure: acceptForms });
