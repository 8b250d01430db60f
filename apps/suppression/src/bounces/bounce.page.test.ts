import { describe, expect, it } from 'vitest';
import { pageLinks, readPageQuery, type PageEdges } from './bounce.page.ts';

const BASE = 'https://mail.example/v3/d.example/bounces';
const nothing: PageEdges = { first: undefined, last: undefined, looked: undefined, ended: true };
const links = (query: object, edges: PageEdges) => {
  const made = Object.entries(pageLinks(BASE, readPageQuery(query), edges));
  return Object.fromEntries(made.map(([name, link]) => [name, link.slice(BASE.length + 1)]));
};

describe('links of a page', () => {
  it('lead on from its edges, with its limit and term', () => {
    const page = { first: 'a+1@x.example', last: 'c@x.example', looked: 'd@x.example', ended: false };
    expect(links({ limit: '3', term: 'A' }, page)).toEqual({
      first: 'page=first&limit=3&term=a',
      last: 'page=last&limit=3&term=a',
      next: 'page=next&address=d%40x.example&limit=3&term=a',
      previous: 'page=previous&address=a%2B1%40x.example&limit=3&term=a',
    });
    expect(links({ limit: '3', page: 'prev', address: 'z@x.example' }, { ...page, looked: 'a@x.example' })).toEqual({
      first: 'page=first&limit=3',
      last: 'page=last&limit=3',
      next: 'page=next&address=c%40x.example&limit=3',
      previous: 'page=previous&address=a%40x.example&limit=3',
    });
  });

  it('are there on an empty page, and turn back at its end', () => {
    expect(links({}, nothing)).toMatchObject({ next: 'page=next&limit=100', previous: 'page=last&limit=100' });
    expect(links({ page: 'next', address: 'Z@x.example' }, nothing)).toMatchObject({
      next: 'page=next&address=z%40x.example&limit=100',
      previous: 'page=last&limit=100',
    });
    expect(links({ page: 'previous', address: 'a@x.example' }, nothing)).toMatchObject({
      next: 'page=first&limit=100',
      previous: 'page=previous&address=a%40x.example&limit=100',
    });
  });

  it('go on from where looking stopped, when nothing fitted and there is more', () => {
    const stopped = { ...nothing, looked: 'm@x.example', ended: false };
    expect(links({ term: 'zz' }, stopped)).toMatchObject({
      next: 'page=next&address=m%40x.example&limit=100&term=zz',
      previous: 'page=previous&address=m%40x.example&limit=100&term=zz',
    });
  });
});

it.each([
  [{ limit: '0' }, /'limit'/],
  [{ limit: '1001' }, /'limit'/],
  [{ limit: 'many' }, /'limit'/],
  [{ page: 'third' }, /'page'/],
  [{ page: 'next', address: 'nobody' }, /'address'/],
  [{ term: ['a', 'b'] }, /'term'/],
])('refuses %j', (query, message) => expect(() => readPageQuery(query)).toThrow(message));

it('takes what clients send for nothing', () => {
  const expected = { limit: 100, term: '', backwards: false, pivot: undefined };
  expect(readPageQuery({ limit: '', page: '', address: '', term: '' })).toEqual(expected);
});
