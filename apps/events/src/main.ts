import { startService } from '@lethe/service';
import { EventsModule } from './app.module.ts';
import { eventsConfig } from './config.ts';

await startService({ name: 'events', module: EventsModule, config: eventsConfig });
