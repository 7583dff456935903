import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { helpdesk, refusalOf, wfm } from './declared.ts';

const connections = { helpdesk: { ...helpdesk, subjects: { system: true, staff: ['88'] } }, wfm };
const entry = {
  issuer: 'https://token.actions.githubusercontent.com',
  audience: 'token-broker',
  subject: 'repo:acme/sync:ref:refs/heads/main',
  claims: { repository_owner_id: '42' },
  connections: ['helpdesk'],
};
const resolve = (...trust: unknown[]) => resolveConnections({ connections, trust });
const pathsOf = (...trust: unknown[]) => refusalOf({ connections, trust }).problems.map(({ path }) => path);
const without = (key: keyof typeof entry) => ({ ...entry, [key]: undefined });

describe('a trust entry', () => {
  it('allows the system, for an hour, unless it says otherwise', () => {
    expect(resolve(entry).trust).toEqual([{ ...entry, maxAgeSeconds: 3600, once: false, subjects: ['system'] }]);
  });

  it('is taken over as declared', () => {
    const full = {
      ...entry,
      claims: { repository_owner_id: '42', run_attempt: 1, protected: true },
      maxAgeSeconds: 300,
      once: true,
      jwksUri: 'https://token.actions.githubusercontent.com/.well-known/jwks',
      connections: ['helpdesk', 'wfm'],
      subjects: ['system', '88'],
    };

    expect(resolve(full).trust).toEqual([full]);
  });

  it('is refused with a regular expression, and told what to write', () => {
    expect(refusalOf({ connections, trust: [{ ...entry, subjectPattern: 'repo:acme/.*' }] }).problems).toEqual([
      { path: 'trust[0].subjectPattern', message: expect.stringContaining('write a glob into `subject`') },
    ]);
  });

  it.each([
    ['https://token.actions.githubusercontent.com', 'repo:acme/x:ref:refs/heads/main', 'repository_owner_id'],
    ['https://token.actions.githubusercontent.com/acme', 'repo:acme/x:ref:refs/heads/main', 'repository_id'],
    ['https://gitlab.com', 'project_path:acme/x:ref_type:branch:ref:main', 'namespace_id'],
    ['https://accounts.google.com', 'someone', 'azp'],
    ['https://login.microsoftonline.com/0a1b/v2.0', 'x', 'tid'],
    ['https://vstoken.dev.azure.com/0a1b', 'sc://acme/x/y', 'org_id'],
    ['https://app.terraform.io', 'organization:acme:project:x:workspace:y:run_phase:apply', 'terraform_workspace_id'],
    ['https://oidc.circleci.com/org/0a1b', 'org/0a1b/project/x/user/y', 'oidc.circleci.com/project-id'],
    ['https://agent.buildkite.com', 'organization:acme:pipeline:x:ref:y', 'organization_id'],
    ['https://oidc.vercel.com/acme', 'owner:acme:project:x:environment:production', 'owner_id'],
    ['https://token.actions.githubusercontent.com.', 'repo:acme/x:ref:refs/heads/main', 'repository_id'],
    ['https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc', '{0a1b}:x', 'workspaceUuid'],
  ])('for %s, which strangers share, needs the owner by an exact id', (issuer, subject, ownerClaim) => {
    const shared = { ...entry, issuer, subject };
    expect(pathsOf({ ...shared, claims: { owner: 'acme' } })).toEqual(['trust[0].claims']);
    expect(pathsOf({ ...shared, claims: { [ownerClaim]: '4*' } })).toEqual(['trust[0].claims']);
    expect(pathsOf({ ...shared, claims: { [ownerClaim]: '' } })).toEqual(['trust[0].claims']);
    expect(resolve({ ...shared, claims: { [ownerClaim]: '42' } }).trust).toHaveLength(1);
    expect(pathsOf({ ...shared, subject: 'a:**', claims: { [ownerClaim]: '42' } })).toEqual(['trust[0].subject']);
    expect(pathsOf({ ...shared, claims: { [ownerClaim]: '42', ref: 'refs/**' } })).toEqual(['trust[0].claims.ref']);
  });

  it("takes a Google account's numeric id as its owner's", () => {
    const google = { ...entry, issuer: 'https://accounts.google.com', claims: {} };
    expect(resolve({ ...google, subject: '104810481048104810481' }).trust).toHaveLength(1);
  });

  it.each(['repo:*/sync:ref:refs/heads/main', 'repo:acme*/sync:ref:refs/heads/main'])(
    'names the owner exactly where strangers share the issuer: not %s',
    (subject) => {
      expect(pathsOf({ ...entry, subject })).toEqual(['trust[0].subject']);
    },
  );

  it('is warned of a glob that takes more than it seems to', () => {
    const warningsOf = (subject: string) =>
      resolve({ ...entry, issuer: 'https://idp.example.com', subject }).warnings.join('\n');
    for (const subject of ['*', '**', '*:**'])
      expect(warningsOf(subject)).toContain('trust[0].subject takes any subject');
    expect(warningsOf('repo:acme*/x:main')).toContain('takes "repo:acme-evil/x:main" too');
    expect(warningsOf('repo:acme**')).toContain('takes "repo:acme-evil" too');
    expect(warningsOf('*-prod')).toContain('takes "-evil-prod" too');
    for (const subject of ['repo:acme/*:main', 'repo:acme/**', 'exact', 'a:*:b/*'])
      expect(warningsOf(subject)).toBe('');
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

  it.each(['issuer', 'audience', 'subject', 'connections'] as const)('is refused without %s', (key) => {
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
    expect(pathsOf({ ...entry, claims: { ...entry.claims, sub: 'x', iss: 'y', bad: {}, fine: 'z' } }).sort()).toEqual([
      'trust[0].claims.bad',
      'trust[0].claims.iss',
      'trust[0].claims.sub',
    ]);
  });

  it.each([null, 5, 'x', []])('is refused as %j', (value) => {
    expect(pathsOf(value)).toEqual(['trust[0]']);
  });
});
