import { acceptForms, startService } from '@lethe/service';
import { config } from './config.ts';
import { AppModule } from './app.module.ts';

await startService({ name: 'accounts', module: AppModule, config, configure: acceptForms });
