// A holder that is killed by its test in the midst of an erasure. Runs what was built, because Node strips types but not decorators.
import { NestFactory } from '@nestjs/core';
import { KafkaModule } from '@lethe/kafka';
import { Clock, CONFIG, createLog, HealthRegistry, Log } from '@lethe/service';
import { HOLDER_TOPICS, PersonalDataHolder, PrivacyHolderModule } from '../../dist/index.js';

class StuckHolder extends PersonalDataHolder {
  erase({ requestId }) {
    console.log(`erase ${requestId}`);
    return new Promise(() => {});
  }
}

const providers = [
  { provide: CONFIG, useValue: JSON.parse(process.env.HOLDER_CONFIG) },
  { provide: Log, useValue: createLog({ service: 'child', level: 'warn' }) },
  Clock,
  HealthRegistry,
];
// oxlint-disable-next-line typescript/no-extraneous-class -- a Nest module is a class without members
class Child {}
const module = {
  module: Child,
  global: true,
  imports: [
    KafkaModule.forService({ name: 'suppression', ...HOLDER_TOPICS }),
    PrivacyHolderModule.forService('suppression', StuckHolder),
  ],
  providers,
  exports: [CONFIG, Log, Clock, HealthRegistry],
};

await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
