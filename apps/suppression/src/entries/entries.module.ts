import { Module } from '@nestjs/common';
import { EntriesPublisher } from './entries.publisher.ts';
import { EntriesRepository } from './entries.repository.ts';

@Module({ providers: [EntriesRepository, EntriesPublisher], exports: [EntriesRepository, EntriesPublisher] })
export class EntriesModule {}
