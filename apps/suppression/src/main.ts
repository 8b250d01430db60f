import { acceptForms, startService } from '@lethe/service';
import { AppModule } from './app.module.ts';
import { config } from './config.ts';

await startService({ name: 'suppression', module: AppModule, config, configure: acceptForms });
