import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { ServiceLinks } from '../proxy/service-links.ts';

const EVERY_MS = 1_000;
const TIMEOUT_MS = 1_000;

/** Knows whether ingest takes mail, without asking it on a caller's request. */
@Injectable()
export class IngestProbe implements OnModuleInit, OnModuleDestroy {
  ready = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly links: ServiceLinks) {}

  onModuleInit(): void {
    void this.probe();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async probe(): Promise<void> {
    this.ready = await this.links.to('ingest').ready(TIMEOUT_MS);
    if (!this.stopped) this.timer = setTimeout(() => void this.probe(), EVERY_MS).unref();
  }
}
