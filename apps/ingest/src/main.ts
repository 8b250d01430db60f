import { startService } from '@lethe/service';
import { IngestModule } from './app.module.ts';
import { ingestConfig } from './config.ts';
import { rawBodies } from './form/raw.bodies.ts';

await startService({
  name: 'ingest',
  module: IngestModule,
  config: ingestConfig,
  bodyParser: false,
  configure: rawBodies,
});
