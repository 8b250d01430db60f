export type { ProvidedContext } from './vitest.ts';
export { startWorld, type World, type WorldOptions } from './world/world.ts';
export type { SmtpMoment } from './world/smtp-server.ts';
export { longestGap, moments, mostAtOnce, mostWithin } from './world/moments.ts';
export { startStores } from './stores/stores.ts';
export type { RunningStores, StoreName, StorePorts, Stores, StoresOptions } from './stores/stores.ts';
export { createDatabase, createTopics, createVault, deleteTopics } from './stores/suite.ts';
export type { SuiteDatabase, SuiteVault } from './stores/suite.ts';
export type { TopicDeclaration } from './stores/provision-kafka.ts';
export { startKafka, type Kafka, type KafkaOptions } from './stores/kafka.ts';
export { startElasticsearch, type Elasticsearch, type ElasticsearchOptions } from './stores/elasticsearch.ts';
export { startPostgres, withClient, type Postgres, type PostgresOptions } from './stores/postgres.ts';
export { startSeaweedFs, type SeaweedFs } from './stores/seaweedfs.ts';
export { kafkaAdmin, type Credentials } from './stores/kafka-admin.ts';
export { endLeftovers, isRunning, processIdentity, recordProcesses, signal, startTime } from './stores/processes.ts';
export type { ProcessIdentity } from './stores/processes.ts';
export type { Daemon } from './stores/daemon.ts';
export { cacheFolder, elasticsearchHome, kafkaJars, lock, type Progress } from './stores/cache.ts';
export { movedClock, type MovedClock } from './clock/moved-clock.ts';
export { runForeign } from './foreign.ts';
export { pythonWith } from './python.ts';
export { certificateAuthority, certificateFiles, makeCertificate, selfSignedCertificate } from './smtp/certificate.ts';
export type { CertificateAndKey, CertificateOptions } from './smtp/certificate.ts';
export { recordingExchanger, type RecordingExchanger } from './smtp/recording-exchanger.ts';
export { policyHost, type PolicyHost } from './world/policy-host.ts';
export { SmtpClient, type Reply } from './smtp/smtp-client.ts';
export { smtpSource, type SmtpSource } from './smtp/smtp-source.ts';
export { OpenIdProvider } from './openid/openid-provider.ts';
export { findJava, requireMaven } from './stores/java.ts';
export { freePorts, requireFree } from './stores/ports.ts';
export { until } from './stores/until.ts';
export { startPlatform, REPOSITORY, type Platform, type PlatformOptions } from './platform/platform.ts';
export { basic, createDemo, createLogin, form, get, sendMessage, type Demo, type Login } from './platform/demo.ts';
export { Supervised, type Command, type Says } from './platform/supervised.ts';
export { watchStores } from './platform/store-watch.ts';
export { startSuitePlatform, type SuitePlatform, type SuitePlatformOptions } from './platform/suite-platform.ts';
export { joinPlatform, sharedPlatform, SHARED_SETTINGS } from './platform/shared-platform.ts';
export type { PlatformClient, SharedPlatform } from './platform/shared-platform.ts';
export { platformSecrets, type PlatformSecrets } from './platform/secrets.ts';
export { serviceEnvironment, type ServiceSettings } from './platform/service-commands.ts';
export { provisionTopics } from './stores/provision-kafka.ts';
export {
  databaseUrl,
  DATABASE_OWNERS,
  provisionDatabase,
  provisionRoles,
  provisionVault,
  VAULT_OWNER,
} from './stores/provision-postgres.ts';
export type { Finding, Needle, ScanReport, Unopened } from './scan/needle.ts';
export { scanFolders, type FolderScanOptions } from './scan/scan-folders.ts';
export { scanRows, type RowScanOptions } from './scan/scan-rows.ts';
export { KeyProof, type SealedBody, type Tried } from './proof/key-proof.ts';
export { sealedValuesIn, type SealedValue } from './proof/sealed-values.ts';
export { vaultSecrets, type VaultSecret } from './proof/vault-secrets.ts';
export { scanForOctets, type OctetNeedle } from './proof/octets.ts';
