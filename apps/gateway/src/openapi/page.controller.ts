import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiError, Operation } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Gatekeeper } from '../access/gatekeeper.ts';

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lethe: what can be called here</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<main id="page"></main>
<noscript>Without scripts: the same as JSON, at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/begin.js"></script>
</body>
</html>
`;

/** No badge: it would send the document's address to a validator elsewhere. */
const BEGIN = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null });\n`;

/** Everything from here, and nothing written into the page: neither scripts nor styles. Its pictures lie in the style sheet. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

const FILES = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
]);
const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(require.resolve('swagger-ui-dist/package.json'), 'utf8')) as {
  version: string;
};
/** 1.9 MB: whoever has them keeps them until the package is another. */
const TAG = `"${version}"`;

/** The OpenAPI document to read and to try, with Swagger UI as its package ships it. */
@Controller('docs')
export class PageController {
  constructor(private readonly gatekeeper: Gatekeeper) {}

  @Operation('This document as a page', { answers: ['text/html'] })
  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    this.gatekeeper.admitAnyone(request, reply);
    void reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY });
    return HTML;
  }

  @Operation('A file of the page', { answers: ['text/css', 'text/javascript'] })
  @Get(':file')
  file(
    @Param('file') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string | StreamableFile | undefined {
    this.gatekeeper.admitAnyone(request, reply);
    if (name === 'begin.js') {
      void reply.header('content-type', 'text/javascript; charset=utf-8');
      return BEGIN;
    }
    const type = FILES.get(name);
    if (type === undefined) throw new ApiError(404, 'Not found');
    void reply.headers({ 'cache-control': 'public, no-cache', etag: TAG });
    if (request.headers['if-none-match'] === TAG) return void reply.status(304);
    return new StreamableFile(createReadStream(require.resolve(`swagger-ui-dist/${name}`)), { type });
  }
}
