import { startService } from '@lethe/service';
import { AppModule } from './app.module.ts';
import { config } from './config.ts';
import { openDoor } from './door/open-door.ts';
import { tlsFiles } from './door/tls.ts';

await startService({
  name: 'gateway',
  module: AppModule,
  config,
  authentication: 'own',
  tls: tlsFiles,
  configure: openDoor,
});
