import { SUPPRESSION_ENTRIES } from '@lethe/contracts';
import { KafkaModule } from '@lethe/kafka';
import { Module } from '@nestjs/common';

/** Publishing a compacted topic brings its heartbeat with it. */
@Module({ imports: [KafkaModule.forService({ name: 'suppression', produces: [SUPPRESSION_ENTRIES] })] })
export class AppModule {}
