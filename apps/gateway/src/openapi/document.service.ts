import { Inject, Injectable } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { API_PART_PATH, ApiError, apiPart, Clock, CONFIG, IdentitySigner, SERVED_MODULE } from '@lethe/service';
import type { ApiPart } from '@lethe/service';
import { NOBODY } from '../access/gatekeeper.ts';
import type { GatewayConfig } from '../config.ts';
import { ServiceLinks } from '../proxy/service-links.ts';
import type { Upstream } from '../routing/routes.ts';
import { mergedDocument } from './merged-document.ts';

/** How long a document stands before the services are asked again: they may have been exchanged for newer ones. */
const KEPT_MS = 60_000;
const TIMEOUT_MS = 5_000;

/** The merged OpenAPI document, as JSON. What a service said last stands for it while it is away. */
@Injectable()
export class DocumentService {
  private readonly parts = new Map<Upstream, ApiPart>();
  private kept: { json: Promise<string>; until: number } | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(SERVED_MODULE) private readonly module: Type | DynamicModule,
    private readonly links: ServiceLinks,
    private readonly signer: IdentitySigner,
    private readonly clock: Clock,
  ) {}

  /** Throws ApiError 503 as long as a service has never answered. */
  json(): Promise<string> {
    const now = this.clock.now();
    if (this.kept && this.kept.until > now) return this.kept.json;
    const json = this.make();
    this.kept = { json, until: now + KEPT_MS };
    // What could not be made is asked for again by whoever comes next.
    json.catch(() => (this.kept = undefined));
    return json;
  }

  private async make(): Promise<string> {
    const services = await Promise.all(
      this.links.services().map(async (service) => ({ service, paths: await this.partOf(service) })),
    );
    const own = { service: 'gateway' as const, paths: apiPart(this.module) };
    return JSON.stringify(mergedDocument([...services, own], this.config.PUBLIC_URL.href.replace(/\/$/, '')));
  }

  private async partOf(service: Upstream): Promise<ApiPart> {
    const authorization = `Bearer ${await this.signer.sign(service, NOBODY)}`;
    const part = await this.links.to(service).readJson(API_PART_PATH, { authorization }, TIMEOUT_MS);
    if (part !== undefined) this.parts.set(service, part as ApiPart);
    const known = this.parts.get(service);
    if (!known) throw new ApiError(503, 'Temporarily unavailable, try again', { retryAfterSeconds: 5 });
    return known;
  }
}
