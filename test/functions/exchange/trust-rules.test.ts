import { describe, expect, it } from 'vitest';
import type { Trust } from '../../../functions/configuration/trust.ts';
import { findBar, findTrust, keySourcesOf } from '../../../functions/exchange/trust-rules.ts';

const ISSUER = 'https://issuer.example';
const rule: Trust = {
  issuer: ISSUER,
  audience: 'broker',
  subject: 'workload',
  claims: {},
  maxAgeSeconds: 3600,
  once: false,
  connections: ['helpdesk'],
  subjects: ['system'],
};
const NOW_SECONDS = 1_800_000_000;
const workload = { issuer: ISSUER, subject: 'workload', audiences: ['broker'], claims: { iat: NOW_SECONDS - 60 } };
const wanted = { connection: 'helpdesk', subject: 'system' };

type Workload = Parameters<typeof findBar>[1]['workload'];
const knock = (who: Workload, source: { issuer: string; jwksUri?: string } = { issuer: ISSUER }) => ({
  ...{ workload: who, source, wanted, now: NOW_SECONDS * 1000 },
});

/** True if one rule trusts the workload, with the keys of `source`. */
const trusts = (change: Partial<Trust>, source?: { issuer: string; jwksUri?: string }, who: Workload = workload) =>
  findTrust([{ ...rule, ...change }], knock(who, source)) !== undefined;

describe('a trust rule', () => {
  it('trusts what fulfils it', () => {
    expect(trusts({})).toBe(true);
  });

  it('counts for its own issuer, and for keys from the place that it names', () => {
    expect(trusts({ issuer: 'https://other.example' })).toBe(false);
    expect(trusts({ jwksUri: 'https://keys.example' })).toBe(false);
    expect(trusts({}, { issuer: ISSUER, jwksUri: 'https://keys.example' })).toBe(false);
  });

  it('takes a subject and claims by their globs', () => {
    const who = { ...workload, subject: 'repo:acme/api:ref:main' };
    expect(trusts({ subject: 'repo:acme/*:ref:main' }, undefined, who)).toBe(true);
    expect(trusts({ subject: 'repo:*' }, undefined, who)).toBe(false);
    const claimed = (ref: unknown) => ({ ...workload, claims: { ...workload.claims, ref } });
    expect(trusts({ claims: { ref: 'refs/tags/*' } }, undefined, claimed('refs/tags/v1'))).toBe(true);
    expect(trusts({ claims: { ref: 'refs/tags/*' } }, undefined, claimed('refs/tags/v1/x'))).toBe(false);
    expect(trusts({ claims: { ref: 'refs/tags/*' } }, undefined, claimed(1))).toBe(false);
  });

  it('finds its value in a claim that is a list, and nowhere deeper', () => {
    const grouped = (groups: unknown) => ({ ...workload, claims: { ...workload.claims, groups } });
    for (const groups of [['dev', 'deploy'], 'deploy']) {
      expect(trusts({ claims: { groups: 'deploy' } }, undefined, grouped(groups))).toBe(true);
    }
    for (const groups of [[], ['deployers'], [['deploy']], { 0: 'deploy' }, null]) {
      expect(trusts({ claims: { groups: 'deploy' } }, undefined, grouped(groups))).toBe(false);
    }
  });

  it('takes a JWT up to its greatest age, and one without a time of issue that ends within it', () => {
    const at = (claims: Record<string, unknown>) => trusts({}, undefined, { ...workload, claims });
    expect([at({ iat: NOW_SECONDS - 3600 }), at({ iat: NOW_SECONDS - 3601 })]).toEqual([true, false]);
    expect([at({ exp: NOW_SECONDS + 3600 }), at({ exp: NOW_SECONDS + 3601 }), at({})]).toEqual([true, false, false]);
  });

  it('needs an id where each JWT counts once', () => {
    const jti = { ...workload, claims: { ...workload.claims, jti: 'a' } };
    expect([trusts({ once: true }), trusts({ once: true }, undefined, jti)]).toEqual([false, true]);
  });

  it('says what keeps a workload out', () => {
    expect(findBar({ ...rule, claims: { a: 'b' } }, knock(workload))).toBe('the claim "a" is missing');
    expect(findBar({ ...rule, subject: 'other' }, knock(workload))).toBe('sub does not fit "other"');
    expect(findBar(rule, knock(workload))).toBeUndefined();
  });

  it('asks for claims of the token itself, not for what every object has', () => {
    const claims = { ...workload.claims, constructor: true, toString: true };

    expect(trusts({ claims: { constructor: true } })).toBe(false);
    expect(trusts({ claims: { constructor: true } }, undefined, { ...workload, claims })).toBe(true);
  });
});

it('does not combine two rules: all of one must hold', () => {
  const rules: readonly Trust[] = [
    { ...rule, subject: 'other' },
    { ...rule, connections: ['wfm'] },
  ];

  expect(findTrust(rules, knock(workload))).toBeUndefined();
  expect(findTrust([...rules, rule], knock(workload))).toBe(rule);
});

it('finds each place of keys once, and none for an issuer that no rule names', () => {
  const rules: readonly Trust[] = [rule, rule, { ...rule, jwksUri: 'https://keys.example' }];

  expect(keySourcesOf(rules, ISSUER)).toEqual([
    { issuer: ISSUER },
    { issuer: ISSUER, jwksUri: 'https://keys.example' },
  ]);
  expect(keySourcesOf(rules, `${ISSUER}/`)).toEqual([]);
});
