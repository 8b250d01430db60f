import 'reflect-metadata';
import { Body, Controller, Delete, Get, Headers, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiPart, undescribed } from './api-part.ts';
import { Operation } from './operation.decorator.ts';

const page = z.preprocess((given) => given ?? {}, z.object({ limit: z.coerce.number().int().max(9).default(5) }));
const letters = z.object({ items: z.array(z.string()) });
const letter = z.object({ to: z.string().toLowerCase(), urgent: z.boolean().optional() });

@Controller(['v3/:domain/letters', 'v4/:domain/letters'])
class PaperLettersController {
  @Operation('List letters', { answer: letters })
  @Get()
  list(@Query({ schema: page }) _query: unknown): z.infer<typeof letters> {
    return { items: [] };
  }

  @Operation('Write a letter', { description: 'By hand' })
  @Post()
  @HttpCode(200)
  write(@Headers('idempotency-key') _key: string, @Body({ schema: letter }) _body: unknown): void {}

  @Operation('Read a letter', { below: '{key}', answers: ['text/plain'] })
  @Operation('Read a page of it', { below: '{key}/pages/{number}' })
  @Get('*')
  read(@Param('*') _path: string): void {}

  @Delete(':key')
  burn(): void {}
}

@Module({ controllers: [PaperLettersController] })
class Letters {}
@Module({})
class Others {}
@Module({ imports: [Letters, { module: Others, imports: [Letters] }] })
class App {}

describe('the part of a service', () => {
  const part = apiPart(App);

  it('has every described route of every imported module, under each of its paths', () => {
    expect(Object.entries(part).map(([path, operations]) => `${path} ${Object.keys(operations).join()}`)).toEqual([
      '/v3/{domain}/letters get,post',
      '/v4/{domain}/letters get,post',
      '/v3/{domain}/letters/{key} get',
      '/v3/{domain}/letters/{key}/pages/{number} get',
      '/v4/{domain}/letters/{key} get',
      '/v4/{domain}/letters/{key}/pages/{number} get',
    ]);
  });

  it('says of an operation what its handler declares', () => {
    expect(part['/v3/{domain}/letters']?.['get']).toEqual({
      operationId: 'get_v3_domain_letters',
      tags: ['Paper letters'],
      summary: 'List letters',
      parameters: [
        { name: 'domain', in: 'path', required: true, schema: { type: 'string' } },
        {
          name: 'limit',
          in: 'query',
          required: false,
          schema: expect.objectContaining({ type: 'integer', default: 5 }),
        },
      ],
      responses: {
        200: {
          description: 'Done',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: { items: { type: 'array', items: { type: 'string' } } },
                required: ['items'],
              },
            },
          },
        },
        default: { $ref: '#/components/responses/Error' },
      },
    });
    const schema = expect.objectContaining({
      required: ['to'],
      properties: expect.objectContaining({ urgent: { type: 'boolean' } }),
    });
    expect(part['/v3/{domain}/letters']?.['post']).toMatchObject({
      description: 'By hand',
      parameters: [{ name: 'domain' }, { name: 'idempotency-key', in: 'header' }],
      requestBody: { content: { 'multipart/form-data': { schema }, 'application/json': { schema } } },
      responses: { 200: {} },
    });
    expect(part['/v3/{domain}/letters/{key}']?.['get']).toMatchObject({
      summary: 'Read a letter',
      responses: { 200: { content: { 'text/plain': {} } } },
    });
  });

  it('names what nobody described', () => {
    expect(undescribed(App)).toEqual([
      'POST /v3/:domain/letters: PaperLettersController.write: an @Operation does not say what is answered',
      'POST /v4/:domain/letters: PaperLettersController.write: an @Operation does not say what is answered',
      'GET /v3/:domain/letters/*: PaperLettersController.read: an @Operation does not say what is answered',
      'GET /v4/:domain/letters/*: PaperLettersController.read: an @Operation does not say what is answered',
      'DELETE /v3/:domain/letters/:key: PaperLettersController.burn has no @Operation',
      'DELETE /v4/:domain/letters/:key: PaperLettersController.burn has no @Operation',
    ]);
  });
});
