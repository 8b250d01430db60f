import { startService } from '@lethe/service';
import { AppModule } from './app.module.ts';
import { config } from './config.ts';
import { answerProblems } from './problems.ts';

await startService({ name: 'privacy', module: AppModule, config, configure: answerProblems });
