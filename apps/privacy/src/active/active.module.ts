import { Global, Module } from '@nestjs/common';
import { ActiveLock } from './active.lock.ts';
import { ActiveWorker } from './active.worker.ts';

/** Work that one replica at a time does: `ActiveWorker.add`. */
@Global()
@Module({ providers: [ActiveLock, ActiveWorker], exports: [ActiveWorker] })
export class ActiveModule {}
