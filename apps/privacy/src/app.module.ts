import {
  ACCOUNT_SETTINGS,
  DOMAIN_SETTINGS,
  PRIVACY_COMMANDS,
  PRIVACY_REPLIES,
  SUPPRESSION_ENTRIES,
} from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';
import { ActiveModule } from './active/active.module.ts';
import { CertificatesModule } from './certificates/certificates.module.ts';
import { LedgerModule } from './ledger/ledger.module.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { PrivacyHolder } from './privacy/privacy.holder.ts';
import { ReleaseModule } from './release/release.module.ts';
import { RequestsModule } from './requests/requests.module.ts';
import { RetentionModule } from './retention/retention.module.ts';
import { KeeperModule } from './vault/keeper.module.ts';

@Module({
  imports: [
    DatabaseModule.forService({ service: 'privacy', entities: [], migrations: MIGRATIONS }),
    KafkaModule.forService({
      name: 'privacy',
      consumes: [PRIVACY_REPLIES, ...HOLDER_TOPICS.consumes],
      produces: [PRIVACY_COMMANDS, ...HOLDER_TOPICS.produces],
      tables: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS, SUPPRESSION_ENTRIES],
    }),
    VaultModule,
    KeeperModule,
    ActiveModule,
    LedgerModule,
    ReleaseModule,
    RequestsModule,
    CertificatesModule,
    RetentionModule,
    PrivacyHolderModule.forService('privacy', PrivacyHolder),
  ],
})
export class AppModule {}
