import { Controller, Get, Inject } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { apiPart } from './api-part.ts';
import type { ApiPart } from './api-part.ts';

export const SERVED_MODULE = Symbol('served module');

/** Where the gateway asks a service for its part of the merged OpenAPI document. */
export const API_PART_PATH = '/internal/openapi.json';

@Controller()
export class ApiPartController {
  private part: ApiPart | undefined;

  constructor(@Inject(SERVED_MODULE) private readonly module: Type | DynamicModule) {}

  @Get(API_PART_PATH)
  show(): ApiPart {
    return (this.part ??= apiPart(this.module));
  }
}
