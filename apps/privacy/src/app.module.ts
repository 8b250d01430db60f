import { DOMAIN_SETTINGS, PRIVACY_COMMANDS, SUPPRESSION_ENTRIES } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule } from '@lethe/kafka';
import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';
import { CertificatesModule } from './certificates/certificates.module.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { VaultOpener } from './vault/vault-opener.ts';

@Module({
  imports: [
    DatabaseModule.forService({ service: 'privacy', entities: [], migrations: MIGRATIONS }),
    KafkaModule.forService({
      name: 'privacy',
      produces: [PRIVACY_COMMANDS],
      tables: [DOMAIN_SETTINGS, SUPPRESSION_ENTRIES],
    }),
    VaultModule,
    CertificatesModule,
  ],
  providers: [VaultOpener],
})
export class AppModule {}
