import { Controller, Get, Req, Res } from '@nestjs/common';
import { Operation } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Gatekeeper } from '../access/gatekeeper.ts';
import { DocumentService } from './document.service.ts';

/** As far as whoever reads it needs to know beforehand; the rest is OpenAPI's. */
const documentShape = z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });

/** What can be called here, for everybody: it says nothing about any account. */
@Controller()
export class DocumentController {
  constructor(
    private readonly gatekeeper: Gatekeeper,
    private readonly document: DocumentService,
  ) {}

  @Operation('This document', { answer: documentShape })
  @Get('openapi.json')
  async show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    this.gatekeeper.admitAnyone(request, reply);
    const json = await this.document.json();
    void reply.headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'public, max-age=60' });
    return json;
  }
}
