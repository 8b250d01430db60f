import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { ApiError } from '@lethe/service';

/** A form as sent: repeated names keep their order. Names are exactly as the client wrote them. */
export interface Form {
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly FormFile[];
  /** Of a message that a template was rendered into. */
  readonly template?: UsedTemplate;
}

export interface UsedTemplate {
  readonly name: string;
  /** Tag of the version. */
  readonly version: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface FormFile {
  readonly field: string;
  readonly filename: string;
  readonly contentType: string;
  readonly content: Buffer;
}

export interface FormLimits {
  /** Largest body, octets. */
  readonly maxBytes: number;
  readonly maxParts: number;
}

/**
 * Reads `multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded` whole into memory, never more than `maxBytes` of it.
 * The caller has reserved that memory. The gateway has inflated what was gzipped.
 *
 * @throws ApiError 413 over `maxBytes`; 400 what cannot be read: a broken form.
 */
export async function readForm(body: Readable, headers: IncomingHttpHeaders, limits: FormLimits): Promise<Form> {
  const contentType = headers['content-type'];
  if (!contentType || !/^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(contentType)) {
    throw new ApiError(400, 'send the message as multipart/form-data or application/x-www-form-urlencoded');
  }
  const fields = new Map<string, string[]>();
  const files: FormFile[] = [];
  const parser = openParser(contentType, limits);

  return new Promise<Form>((resolve, reject) => {
    const stages: Readable[] = [body];
    const fail = (error: Error): void => {
      reject(error);
      for (const stage of stages) stage.unpipe();
      // The rest of the request is read and thrown away, so that the client gets to see the answer.
      body.on('error', () => undefined).resume();
    };
    const refuse = (status: number, message: string): void => fail(new ApiError(status, message));
    let parts = 0;
    const tooMany = (): void => refuse(400, `the form has more than ${limits.maxParts} parts`);

    parser.on('field', (name: string, value: string, nameCut: boolean, valueCut: boolean) => {
      if ((parts += 1) > limits.maxParts) return tooMany();
      if (nameCut) return refuse(400, 'a form field name is longer than 200 octets');
      if (valueCut) return refuse(413, `form field '${printable(name)}' is too large`);
      const values = fields.get(name);
      if (values) values.push(value);
      else fields.set(name, [value]);
    });
    parser.on(
      'file',
      (field: string, stream: BusboyFileStream, filename: string, _encoding: string, mimeType: string) => {
        if ((parts += 1) > limits.maxParts) tooMany();
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('limit', () => refuse(413, `file in '${printable(field)}' is too large`));
        stream.on('end', () =>
          files.push({
            field,
            filename: filename || 'attachment',
            contentType: mimeType,
            content: Buffer.concat(chunks),
          }),
        );
        stream.on('error', () => refuse(400, 'the form ends in the middle of a file'));
      },
    );
    parser.on('error', () => refuse(400, 'the form cannot be read: check boundary and encoding'));
    parser.on('finish', () => resolve({ fields, files }));

    const counted = countedStream(limits.maxBytes, refuse);
    stages.push(counted);
    body.pipe(counted).pipe(parser);
    const left = (): void => refuse(400, 'the request ended early');
    body.on('error', left);
    body.on('close', () => {
      if (!body.readableEnded) left();
    });
    // The client left while its request waited for memory: nothing will be heard of it any more.
    if (body.destroyed && !body.readableEnded) left();
  });
}

function openParser(contentType: string, limits: FormLimits): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        fieldNameSize: 200,
        fieldSize: limits.maxBytes,
        fileSize: limits.maxBytes,
        // One more than is taken, so that one too many is seen: the parser itself drops the rest in silence.
        fields: limits.maxParts + 1,
        files: limits.maxParts + 1,
        parts: limits.maxParts + 1,
        headerPairs: 50,
      },
    });
  } catch {
    throw new ApiError(400, 'the Content-Type of the form is malformed: is the boundary missing?');
  }
}

/** Passes bytes on until there are too many: 413. */
function countedStream(maxBytes: number, refuse: (status: number, message: string) => void): PassThrough {
  let seen = 0;
  const counted = new PassThrough();
  counted.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > maxBytes) refuse(413, `the message is larger than ${maxBytes} octets`);
  });
  return counted;
}

/** Field names come from the client: shown back only if harmless. */
const printable = (name: string): string => (/^[\w:.-]{1,64}$/.test(name) ? name : 'unnamed');
