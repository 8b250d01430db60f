import { Global, Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { BodyStore } from './store/body-store.ts';

/** Variables of a service that uses the body store. */
export const bodiesConfig = {
  BODIES_URL: z
    .string()
    .min(1)
    .meta({ description: 'PostgreSQL URL of the body store (database of ingest)', secret: true }),
  BODIES_CONNECTIONS: z.coerce.number().int().positive().default(4).describe('Connections to the body store'),
};

export type BodiesConfig = z.infer<z.ZodObject<typeof bodiesConfig>>;

/** Gives `BodyStore` to every module of a service. */
@Global()
@Module({})
export class BodiesModule implements OnApplicationShutdown {
  constructor(@Inject(BodyStore) private readonly store: BodyStore) {}

  static forRoot(config: BodiesConfig): DynamicModule {
    const store = {
      provide: BodyStore,
      useFactory: () => new BodyStore({ url: config.BODIES_URL, connections: config.BODIES_CONNECTIONS }),
    };
    return { module: BodiesModule, providers: [store], exports: [BodyStore] };
  }

  onApplicationShutdown(): Promise<void> {
    return this.store.close();
  }
}
