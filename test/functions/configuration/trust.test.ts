import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { helpdesk, refusalOf, wfm } from './declared.ts';

const connections = { helpdesk: { ...helpdesk, subjects: { system: true, staff: ['88'] } }, wfm };
const entry = {
  issuer: 'https://token.actions.githubusercontent.com',
  audience: 'token-broker',
  subject: 'repo:acme/sync:ref:refs/heads/main',
  connections: ['helpdesk'],
};
const resolve = (...trust: unknown[]) => resolveConnections({ connections, trust });
const pathsOf = (...trust: unknown[]) => refusalOf({ connections, trust }).problems.map(({ path }) => path);
const without = (key: keyof typeof entry) => ({ ...entry, [key]: undefined });

describe('a trust entry', () => {
  it('allows the system and asks for no further claims unless it says so', () => {
    expect(resolve(entry).trust).toEqual([{ ...entry, claims: {}, subjects: ['system'] }]);
  });

  it('is taken over as declared', () => {
    const full = {
      ...entry,
      claims: { repository_owner: 'acme', run_attempt: 1, protected: true },
      jwksUri: 'https://token.actions.githubusercontent.com/.well-known/jwks',
      connections: ['helpdesk', 'wfm'],
      subjects: ['system', '88'],
    };

    expect(resolve(full).trust).toEqual([full]);
  });

  it('must match the whole subject with its pattern, however the pattern is written', () => {
    const [trust] = resolve({ ...without('subject'), subjectPattern: 'repo:acme/[a-z]+|repo:acme' }).trust;
    const pattern = new RegExp(trust?.subjectPattern ?? '', 'u');

    expect(['repo:acme/sync', 'repo:acme'].every((subject) => pattern.test(subject))).toBe(true);
    expect(
      ['xrepo:acme', 'repo:acme/sync:x', 'repo:acme\nx', 'repo:acme/'].some((subject) => pattern.test(subject)),
    ).toBe(false);
    expect(trust?.subject).toBeUndefined();
  });

  it.each(['(', 'a)|(b', '[', '*', '\\', ''])('is refused with the pattern %j', (subjectPattern) => {
    expect(pathsOf({ ...without('subject'), subjectPattern })).toEqual(['trust[0].subjectPattern']);
  });

  it('warns of a pattern that takes every workload', () => {
    expect(resolve({ ...without('subject'), subjectPattern: '.*' }).warnings).toEqual([
      expect.stringContaining('trust[0].subjectPattern takes any subject'),
    ]);
    expect(resolve({ ...without('subject'), subjectPattern: 'repo:acme/.*' }).warnings).toEqual([]);
  });

  it('has exactly one of subject and pattern', () => {
    expect(pathsOf(without('subject'))).toEqual(['trust[0].subject']);
    expect(pathsOf({ ...entry, subjectPattern: 'x' })).toEqual(['trust[0].subject']);
  });

  it.each([
    ['issuer', 'http://idp.example.com'],
    ['issuer', 'https://user:pw@idp.example.com'],
    ['issuer', 'https://169.254.169.254'],
    ['issuer', 'accounts.example.com'],
    ['jwksUri', 'http://idp.example.com/keys'],
    ['audience', ''],
    ['audience', 5],
    ['subject', ''],
    ['connections', []],
    ['connections', 'helpdesk'],
    ['subjects', []],
    ['claims', 'x'],
    ['extra', 1],
  ])('is refused with %s %j', (key, value) => {
    expect(pathsOf({ ...entry, [key]: value })).toEqual([`trust[0].${key}`]);
  });

  it('takes an issuer over plain http on loopback only', () => {
    expect(
      resolve({ ...entry, issuer: 'http://127.0.0.1:9000', jwksUri: 'http://localhost:9000/k' }).trust,
    ).toHaveLength(1);
  });

  it.each(['issuer', 'audience', 'connections'] as const)('is refused without %s', (key) => {
    expect(pathsOf(without(key))).toEqual([`trust[0].${key}`]);
  });

  it('is refused for an undeclared connection, naming those declared', () => {
    const { problems } = refusalOf({
      connections,
      trust: [entry, { ...entry, connections: ['helpdesk', 'constructor'] }],
    });

    expect(problems).toEqual([
      { path: 'trust[1].connections[1]', message: expect.stringContaining('Declared: helpdesk, wfm') },
    ]);
  });

  it('is refused for what is no subject, and for a subject that none of its connections serves', () => {
    expect(pathsOf({ ...entry, subjects: ['088', 'system'] })).toEqual(['trust[0].subjects[0]']);
    expect(pathsOf({ ...entry, subjects: ['88', '89'] })).toEqual(['trust[0].subjects[1]']);
    expect(pathsOf({ ...entry, connections: ['wfm'], subjects: ['88'] })).toEqual(['trust[0].subjects[0]']);
  });

  it('is not blamed for subjects while a connection that may serve them is faulty itself', () => {
    const { problems } = refusalOf({
      connections: { ...connections, helpdesk: { ...helpdesk, timeoutSeconds: 13 } },
      trust: [{ ...entry, connections: ['helpdesk', 'wfm'], subjects: ['88'] }],
    });

    expect(problems.map(({ path }) => path)).toEqual(['connections.helpdesk.timeoutSeconds']);
  });

  it('cannot redefine claims that are always checked', () => {
    expect(pathsOf({ ...entry, claims: { sub: 'x', iss: 'y', bad: {}, fine: 'z' } }).sort()).toEqual([
      'trust[0].claims.bad',
      'trust[0].claims.iss',
      'trust[0].claims.sub',
    ]);
  });

  it.each([null, 5, 'x', []])('is refused as %j', (value) => {
    expect(pathsOf(value)).toEqual(['trust[0]']);
  });
});
