import { describe, expect, it } from 'vitest';
import type { Trust } from '../../../functions/configuration/trust.ts';
import { isTrusted, keySourcesOf } from '../../../functions/exchange/trust-rules.ts';

const ISSUER = 'https://issuer.example';
const rule: Trust = {
  issuer: ISSUER,
  audience: 'broker',
  subject: 'workload',
  claims: {},
  connections: ['helpdesk'],
  subjects: ['system'],
};
const workload = { issuer: ISSUER, subject: 'workload', audiences: ['broker'], claims: {} };
const wanted = { connection: 'helpdesk', subject: 'system' };

/** True if one rule trusts the workload, with the keys of `source`. */
const trusts = (change: Partial<Trust>, source = { issuer: ISSUER }, who = workload): boolean =>
  isTrusted([{ ...rule, ...change }], { workload: who, source }, wanted);

describe('a trust rule', () => {
  it('trusts what fulfils it', () => {
    expect(trusts({})).toBe(true);
  });

  it('counts for its own issuer, and for keys from the place that it names', () => {
    expect(trusts({ issuer: 'https://other.example' })).toBe(false);
    expect(trusts({ jwksUri: 'https://keys.example' })).toBe(false);
    expect(trusts({}, Object.assign({ issuer: ISSUER }, { jwksUri: 'https://keys.example' }))).toBe(false);
  });

  it('trusts nobody where it names no subject', () => {
    const { subject: _, ...subjectless } = rule;

    expect(isTrusted([subjectless], { workload, source: { issuer: ISSUER } }, wanted)).toBe(false);
  });

  it('asks for claims of the token itself, not for what every object has', () => {
    const claims = { constructor: true, toString: true };

    expect(trusts({ claims: { constructor: true } })).toBe(false);
    expect(trusts({ claims: { constructor: true } }, { issuer: ISSUER }, { ...workload, claims })).toBe(true);
  });
});

it('does not combine two rules: all of one must hold', () => {
  const rules: readonly Trust[] = [
    { ...rule, subject: 'other' },
    { ...rule, connections: ['wfm'] },
  ];

  expect(isTrusted(rules, { workload, source: { issuer: ISSUER } }, wanted)).toBe(false);
  expect(isTrusted([...rules, rule], { workload, source: { issuer: ISSUER } }, wanted)).toBe(true);
});

it('finds each place of keys once, and none for an issuer that no rule names', () => {
  const rules: readonly Trust[] = [rule, rule, { ...rule, jwksUri: 'https://keys.example' }];

  expect(keySourcesOf(rules, ISSUER)).toEqual([
    { issuer: ISSUER },
    { issuer: ISSUER, jwksUri: 'https://keys.example' },
  ]);
  expect(keySourcesOf(rules, `${ISSUER}/`)).toEqual([]);
});
