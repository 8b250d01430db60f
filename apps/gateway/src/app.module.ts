import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS } from '@lethe/contracts';
import { KafkaModule } from '@lethe/kafka';
import { Module } from '@nestjs/common';
import { Gatekeeper } from './access/gatekeeper.ts';
import { SessionUse } from './access/session-use.ts';
import { Settings } from './access/settings.ts';
import { Door } from './door/door.ts';
import { IngestProbe } from './health/ingest-probe.ts';
import { PublicHealthController } from './health/health.controller.ts';
import { DocumentController } from './openapi/document.controller.ts';
import { DocumentService } from './openapi/document.service.ts';
import { PageController } from './openapi/page.controller.ts';
import { ServiceLinks } from './proxy/service-links.ts';

/** A request passes Door → Gatekeeper (Settings) → ServiceLinks. */
@Module({
  imports: [KafkaModule.forService({ name: 'gateway', tables: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS] })],
  controllers: [PublicHealthController, DocumentController, PageController],
  providers: [Settings, SessionUse, Gatekeeper, ServiceLinks, Door, IngestProbe, DocumentService],
})
export class AppModule {}
