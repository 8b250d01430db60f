import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildStage, contextFiles, parseDockerfile, shell } from './dockerfile.mjs';

let folder: string;
let context: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-dockerfile-'));
  context = join(folder, 'context');
  mkdirSync(join(context, 'apps/ingest/node_modules'), { recursive: true });
  writeFileSync(join(context, '.dockerignore'), '# only these\n*\n!package.json\n!apps\n**/*.test.ts\n');
  writeFileSync(join(context, 'package.json'), '{}');
  writeFileSync(join(context, 'secret.key'), 'x');
  writeFileSync(join(context, 'apps/ingest/main.ts'), 'main');
  writeFileSync(join(context, 'apps/ingest/main.test.ts'), 'test');
});
afterEach(() => rmSync(folder, { recursive: true }));

const build = (text: string, target = 'final') =>
  buildStage(parseDockerfile(text), target, {
    context,
    folder,
    args: { APP: 'ingest' },
    run: shell(process.env['PATH'] ?? ''),
    shared: new Map(),
  });

it('lets only what .dockerignore allows into the context', () => {
  expect(contextFiles(context)).toEqual(['apps/ingest/main.ts', 'package.json']);
});

it('copies, runs and hands over between stages', () => {
  const image = build(`
FROM node:24 AS sources
WORKDIR /work
COPY apps ./code
FROM sources AS content
ARG APP
RUN --mount=type=cache,target=/root/.npm cp code/\${APP}/main.ts built && \\
  ln -s built link
FROM node:24
ARG APP
ENV NODE_ENV=production NAME=\${APP}
COPY --from=content /work /lethe
WORKDIR /lethe
USER 1000:1000
HEALTHCHECK --interval=1s CMD ["node", "health"]
CMD ["node", "main.js"]
`);
  expect(readFileSync(join(image.root, 'lethe/link'), 'utf8')).toBe('main');
  expect(existsSync(join(image.root, 'lethe/code/ingest/main.test.ts'))).toBe(false);
  expect(image).toMatchObject({
    workdir: '/lethe',
    env: { NODE_ENV: 'production', NAME: 'ingest' },
    user: '1000:1000',
    cmd: ['node', 'main.js'],
    healthcheck: ['node', 'health'],
  });
});

describe('says what is wrong with', () => {
  it.each([
    ['a COPY of what is not in the context', 'FROM node:24\nCOPY secret.key ./', 'COPY secret.key: nothing there'],
    ['a failing RUN', 'FROM node:24\nRUN echo no >&2; exit 3', 'RUN echo no >&2; exit 3 failed'],
    ['an instruction it does not perform', 'FROM node:24\nADD x y', 'does not know ADD'],
    ['an argument that is not given', 'FROM node:24\nARG OTHER', 'the build argument OTHER is not given'],
  ])('%s', (_, text, message) => expect(() => build(text)).toThrow(message));
});
