import { createHash, X509Certificate } from 'node:crypto';
import { certificateAuthority, makeCertificate, type CertificateAndKey } from '@lethe/testing';
import type { TlsaData } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { daneFault } from './tlsa.match.ts';
import { usable } from './tlsa.records.ts';

const HOST = 'mx.dane.test';
const authority = certificateAuthority('Root');
const good = authority.issue([HOST]);

const read = ({ certificate }: Pick<CertificateAndKey, 'certificate'>): X509Certificate =>
  new X509Certificate(certificate);
const record = (usage: number, selector: number, matchingType: number, from: CertificateAndKey): TlsaData => {
  const certificate = read(from);
  const whole = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  const digest = matchingType === 1 ? 'sha256' : 'sha512';
  const data = matchingType === 0 ? whole : createHash(digest).update(whole).digest();
  return { usage, selector, matchingType, certificate: data };
};
const fault = (records: TlsaData[], chain: CertificateAndKey[], names = [HOST]) =>
  daneFault(usable(records), chain.map(read), names);

describe('TLSA records of an end entity (3)', () => {
  it.each([
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 2],
  ])('match the own certificate alone (selector %d, matching %d)', (selector, matching) => {
    expect(fault([record(3, selector, matching, good)], [good, authority])).toBeUndefined();
    expect(fault([record(3, selector, matching, authority.issue([HOST]))], [good, authority])).toBe(
      'validation-failure',
    );
    expect(fault([record(3, selector, matching, authority)], [good, authority])).toBe('validation-failure');
  });

  it('do not ask for its name, its dates or who signed it (RFC 7672 §3.1.1)', () => {
    const odd = makeCertificate(['elsewhere.test'], { from: -20, until: -10 });
    expect(fault([record(3, 1, 1, odd)], [odd])).toBeUndefined();
  });

  it('one that matches is enough, as while a key changes', () => {
    expect(fault([record(3, 1, 1, authority.issue([HOST])), record(3, 1, 1, good)], [good])).toBeUndefined();
  });

  it('go by the key, which a new certificate may keep', () => {
    const renewed = authority.issue([HOST], { key: good.key });
    expect(fault([record(3, 1, 1, good)], [renewed])).toBeUndefined();
    expect(fault([record(3, 0, 1, good)], [renewed])).toBe('validation-failure');
  });
});

describe('TLSA records of a trust anchor (2)', () => {
  const intermediate = (() => {
    const own = makeCertificate(['Between'], { authority: true, issuer: { ...authority, name: 'Root' } });
    return { ...own, name: 'Between' };
  })();
  const below = makeCertificate([HOST], { issuer: intermediate });

  it.each([
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 0],
  ])('match who signed it, directly or not (selector %d, matching %d)', (selector, matching) => {
    expect(fault([record(2, selector, matching, authority)], [good, authority])).toBeUndefined();
    expect(fault([record(2, selector, matching, authority)], [below, intermediate, authority])).toBeUndefined();
    expect(fault([record(2, selector, matching, intermediate)], [below, intermediate])).toBeUndefined();
  });

  it('need the anchor in what was sent, but where DNS has the whole of it', () => {
    expect(fault([record(2, 0, 1, authority)], [good])).toBe('validation-failure');
    expect(fault([record(2, 0, 0, authority)], [good])).toBeUndefined();
  });

  it('ask for one of its names', () => {
    expect(fault([record(2, 0, 1, authority)], [good, authority], ['dane.test'])).toBe('certificate-host-mismatch');
    expect(fault([record(2, 0, 1, authority)], [good, authority], [HOST, 'dane.test'])).toBeUndefined();
  });

  it('ask for its dates', () => {
    const expired = authority.issue([HOST], { from: -20, until: -10 });
    const early = authority.issue([HOST], { from: 10, until: 20 });
    expect(fault([record(2, 0, 1, authority)], [expired, authority])).toBe('certificate-expired');
    expect(fault([record(2, 0, 1, authority)], [early, authority])).toBe('certificate-expired');
  });

  it('do not match what another of the same name signed, nor who may not sign', () => {
    const namesake = certificateAuthority('Root').issue([HOST]);
    expect(fault([record(2, 0, 1, authority)], [namesake, authority])).toBe('validation-failure');
    const server = authority.issue(['server.test']);
    const forged = makeCertificate([HOST], { issuer: { ...server, name: 'server.test' } });
    expect(fault([record(2, 0, 1, authority)], [forged, server, authority])).toBe('validation-failure');
    expect(fault([record(2, 0, 1, server)], [forged, server])).toBe('validation-failure');
  });

  it('do not match the own certificate', () => {
    const self = makeCertificate([HOST], { authority: true });
    expect(fault([record(2, 0, 1, self)], [self])).toBe('validation-failure');
  });
});

describe('which TLSA records can be used', () => {
  const whole = record(3, 1, 1, good);
  it.each([
    ['PKIX-TA', { usage: 0 }],
    ['PKIX-EE', { usage: 1 }],
    ['an unknown usage', { usage: 255 }],
    ['an unknown selector', { selector: 2 }],
    ['an unknown digest', { matchingType: 3 }],
    ['a digest too short', { certificate: whole.certificate.subarray(1) }],
    ['a digest of another kind', { matchingType: 2 }],
    ['no certificate', { selector: 0, matchingType: 0 }],
    ['nothing', { matchingType: 0, certificate: Buffer.alloc(0) }],
  ])('not %s', (_, change) => {
    expect(usable([{ ...whole, ...change }])).toEqual([]);
  });

  it('of two digests of the same kind the stronger (RFC 7671 §9)', () => {
    const other = authority.issue([HOST]);
    expect(fault([record(3, 1, 1, good), record(3, 1, 2, other)], [good])).toBe('validation-failure');
    expect(fault([record(3, 0, 1, good), record(3, 1, 2, other)], [good])).toBeUndefined();
  });

  it('nothing is authenticated without a certificate or a record', () => {
    expect(fault([whole], [])).toBe('validation-failure');
    expect(fault([], [good])).toBe('validation-failure');
  });
});
