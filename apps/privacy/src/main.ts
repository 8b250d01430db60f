import { startService } from '@lethe/service';
import { AppModule } from './app.module.ts';
import { config } from './config.ts';

await startService({ name: 'privacy', module: AppModule, config });
