import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRoutes } from './static.routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-routes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const password = join(folder, 'password');
writeFileSync(password, 'secret word\n');
const read = (content: unknown) => {
  const file = join(folder, 'routes.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readRoutes(file);
};

describe('routes', () => {
  it('are found by what says most about the domain', () => {
    const routes = read([
      { match: '*', hosts: ['rest.test'] },
      { match: '.example.com', hosts: ['below.test'] },
      { match: '.b.example.com', hosts: ['further.test'] },
      { match: 'A.example.com', hosts: ['own.test'] },
    ]);
    const hostFor = (domain: string) => routes.find(domain)?.hosts?.[0]?.host;
    expect(hostFor('a.EXAMPLE.com')).toBe('own.test');
    expect(hostFor('c.example.com')).toBe('below.test');
    expect(hostFor('x.b.example.com')).toBe('further.test');
    expect(hostFor('b.example.com')).toBe('below.test');
    expect(hostFor('example.com')).toBe('rest.test');
    expect(hostFor('notexample.com')).toBe('rest.test');
    expect(read([{ match: '.example.com' }]).find('example.com')).toBeUndefined();
  });

  it('say where to, how, and as whom', () => {
    const login = { username: 'us', passwordFile: password };
    const routes = read([
      {
        match: 'a.test',
        hosts: ['one.test', 'two.test:2525', '[::1]:26', '10.0.0.1'],
        port: 587,
        tls: 'verified',
        login,
      },
      { match: 'b.test', tls: 'none', allowPrivate: true },
    ]);
    expect(routes.find('a.test')).toEqual({
      match: 'a.test',
      hosts: [
        { host: 'one.test', port: 587 },
        { host: 'two.test', port: 2525 },
        { host: '::1', port: 26 },
        { host: '10.0.0.1', port: 587 },
      ],
      tls: 'verified',
      allowPrivate: false,
      login: { username: 'us', password: 'secret word' },
    });
    expect(routes.find('b.test')).toEqual({ match: 'b.test', hosts: undefined, tls: 'none', allowPrivate: true });
  });

  it('are none, or one, without a file', () => {
    expect(readRoutes('mx').find('a.test')).toBeUndefined();
    const one = { match: '*', tls: 'opportunistic', allowPrivate: true };
    expect(readRoutes('smtp://10.0.0.1:2525').find('a.test')).toEqual({
      ...one,
      hosts: [{ host: '10.0.0.1', port: 2525 }],
    });
    expect(readRoutes('smtp://[::1]').find('a.test')).toEqual({ ...one, hosts: [{ host: '::1', port: 25 }] });
  });

  const right = { match: 'a.test', hosts: ['b.test'] };
  it.each([
    ['no JSON', '{', /the file cannot be read as JSON$/],
    ['no list', {}, /must hold a list/],
    ['a wrong domain', [right, { match: 'a b' }], /entry 2: match: must be a domain/],
    ['half a pattern', [{ match: '*.a.test' }], /entry 1: match: must be a domain/],
    ['an unknown field', [{ ...right, prot: 25 }], /entry 1: the entry: .*prot/],
    ['no hosts', [{ ...right, hosts: [] }], /entry 1: hosts: /],
    ['a wrong host', [{ ...right, hosts: ['smtp://b.test'] }], /entry 1: hosts\.0: must be host or host:port/],
    ['a wrong port', [{ ...right, port: 70_000 }], /entry 1: port: /],
    ['a wrong demand', [{ ...right, tls: 'some' }], /entry 1: tls: /],
    ['twice the same', [right, right], /entry 2: match: an entry above has the same/],
    [
      'a login in clear',
      [{ ...right, login: { username: 'us', passwordFile: password } }],
      /entry 1: login: needs hosts, and tls verified/,
    ],
    [
      'no password',
      [{ ...right, tls: 'verified', login: { username: 'us', passwordFile: join(folder, 'none') } }],
      /entry 1: login\.passwordFile: there is no password/,
    ],
  ])('stop the start and say where: %s', (_, content, message) => {
    expect(() => read(content)).toThrow(message);
  });

  it('that are not there stop the start', () => {
    expect(() => readRoutes('/no/such/file')).toThrow('OUTBOUND_ROUTE: the file cannot be read as JSON');
  });
});
