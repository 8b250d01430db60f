import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS } from '@lethe/contracts';
import { DatabaseModule } from '@lethe/database';
import { KafkaModule, OutboxModule } from '@lethe/kafka';
import { HOLDER_TOPICS, PrivacyHolderModule } from '@lethe/privacy-holder';
import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';
import { Account } from './accounts/account.entity.ts';
import { AccountsController } from './accounts/accounts.controller.ts';
import { AccountsService } from './accounts/accounts.service.ts';
import { CredentialsController } from './credentials/credentials.controller.ts';
import { CredentialsService } from './credentials/credentials.service.ts';
import { SmtpCredentialRow } from './credentials/smtp-credential.entity.ts';
import { DkimKeyRow } from './dkim/dkim-key.entity.ts';
import { DkimKeyFactory } from './dkim/dkim-key.factory.ts';
import { DkimKeysController } from './dkim/dkim-keys.controller.ts';
import { DkimKeysService } from './dkim/dkim-keys.service.ts';
import { DomainKeysController } from './dkim/domain-keys.controller.ts';
import { DnsCheck } from './dns/dns-check.ts';
import { DnsClient } from './dns/dns.client.ts';
import { ConnectionController } from './domains/connection.controller.ts';
import { Domain } from './domains/domain.entity.ts';
import { DomainsController } from './domains/domains.controller.ts';
import { DomainsService } from './domains/domains.service.ts';
import { IpsController } from './ips/ips.controller.ts';
import { ApiKey } from './keys/api-key.entity.ts';
import { KeysController } from './keys/keys.controller.ts';
import { KeysService } from './keys/keys.service.ts';
import { MonthLimitController } from './limits/month-limit.controller.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { AccountRecords } from './privacy/account.records.ts';
import { AccountsHolder } from './privacy/accounts.holder.ts';
import { StandingUseWorker } from './privacy/standing-use.worker.ts';
import { ProviderFlow } from './providers/provider-flow.entity.ts';
import { ProviderSignInService } from './providers/provider-sign-in.service.ts';
import { ProviderClient } from './providers/provider.client.ts';
import { ProviderController } from './providers/provider.controller.ts';
import { InstructionRow } from './retention/instruction.entity.ts';
import { InstructionsController } from './retention/instructions.controller.ts';
import { InstructionsService } from './retention/instructions.service.ts';
import { InstructionsWorker } from './retention/instructions.worker.ts';
import { RetentionSettingsController } from './retention/retention-settings.controller.ts';
import { RetentionSettingsService } from './retention/retention-settings.service.ts';
import { SandboxRecipientRow } from './sandbox/sandbox-recipient.entity.ts';
import { SandboxRecipientsController } from './sandbox/sandbox-recipients.controller.ts';
import { SandboxRecipientsService } from './sandbox/sandbox-recipients.service.ts';
import { AllowedSendersController } from './senders/allowed-senders.controller.ts';
import { AllowedSendersService } from './senders/allowed-senders.service.ts';
import { SecondFactorController } from './second-factor/second-factor.controller.ts';
import { SecondFactorProof } from './second-factor/second-factor.proof.ts';
import { SecondFactorService } from './second-factor/second-factor.service.ts';
import { SessionRow } from './sessions/session.entity.ts';
import { SessionsController } from './sessions/sessions.controller.ts';
import { SessionsService } from './sessions/sessions.service.ts';
import { SignInAttempt } from './sign-in/sign-in-attempt.entity.ts';
import { PasswordProof } from './sign-in/password.proof.ts';
import { SignInBackoff } from './sign-in/sign-in.backoff.ts';
import { SignInService } from './sign-in/sign-in.service.ts';
import { SignInWorker } from './sign-in/sign-in.worker.ts';
import { SettingsModule } from './settings/settings.module.ts';
import { SubaccountsController } from './subaccounts/subaccounts.controller.ts';
import { SubaccountsService } from './subaccounts/subaccounts.service.ts';
import { TrackingController } from './tracking/tracking.controller.ts';
import { TrackingService } from './tracking/tracking.service.ts';
import { OwnUserController } from './users/own-user.controller.ts';
import { PasswordsService } from './users/passwords.service.ts';
import { UserRow } from './users/user.entity.ts';
import { UserVault } from './users/user-vault.ts';
import { UsersController } from './users/users.controller.ts';
import { UsersService } from './users/users.service.ts';

/** Every change goes through SettingsPublisher: state and record in one transaction. */
@Module({
  imports: [
    DatabaseModule.forService({
      service: 'accounts',
      entities: [
        Account,
        ApiKey,
        Domain,
        DkimKeyRow,
        SmtpCredentialRow,
        SandboxRecipientRow,
        UserRow,
        SessionRow,
        ProviderFlow,
        SignInAttempt,
        InstructionRow,
      ],
      migrations: MIGRATIONS,
    }),
    KafkaModule.forService({
      name: 'accounts',
      consumes: HOLDER_TOPICS.consumes,
      produces: [ACCOUNT_SETTINGS, DOMAIN_SETTINGS, ...HOLDER_TOPICS.produces],
    }),
    OutboxModule,
    VaultModule,
    SettingsModule,
    PrivacyHolderModule.forService('accounts', AccountsHolder, {
      imports: [SettingsModule],
      providers: [AccountRecords],
    }),
  ],
  controllers: [
    AccountsController,
    KeysController,
    DomainsController,
    ConnectionController,
    TrackingController,
    DkimKeysController,
    DomainKeysController,
    CredentialsController,
    SandboxRecipientsController,
    IpsController,
    MonthLimitController,
    SubaccountsController,
    AllowedSendersController,
    OwnUserController,
    SecondFactorController,
    ProviderController,
    UsersController,
    SessionsController,
    RetentionSettingsController,
    InstructionsController,
  ],
  providers: [
    AccountsService,
    KeysService,
    DomainsService,
    TrackingService,
    DkimKeyFactory,
    DkimKeysService,
    CredentialsService,
    SandboxRecipientsService,
    AllowedSendersService,
    SubaccountsService,
    UsersService,
    UserVault,
    PasswordsService,
    PasswordProof,
    SecondFactorProof,
    SecondFactorService,
    ProviderClient,
    ProviderSignInService,
    SignInService,
    SignInBackoff,
    SignInWorker,
    SessionsService,
    RetentionSettingsService,
    InstructionsService,
    InstructionsWorker,
    StandingUseWorker,
    DnsClient,
    DnsCheck,
  ],
})
export class AppModule {}
