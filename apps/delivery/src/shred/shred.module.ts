import { Module } from '@nestjs/common';
import { ShredRepository } from './shred.repository.ts';
import { ShredWorker } from './shred.worker.ts';

@Module({ providers: [ShredRepository, ShredWorker], exports: [ShredRepository] })
export class ShredModule {}
