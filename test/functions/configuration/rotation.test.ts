import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';

const books = { provider: 'oauth-refresh-token', baseUrl: 'https://books.example.com' };
const login = {
  url: '/token',
  form: { refresh_token: '{refreshToken}' },
  reads: { token: { in: 'body', path: ['token'] }, refreshToken: { in: 'body', path: ['next'] } },
};
const rotating = {
  secretFields: { refreshToken: { rotates: { graceSeconds: 0 } } },
  logins: { system: [login] },
  placement: { headers: { authorization: 'Bearer {token}' } },
  lifetime: [{ seconds: 3600 }],
};

function problemsOf(declared: object): readonly string[] {
  try {
    resolveConnections(declared);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

const ofConnection = (change: object) => problemsOf({ connections: { books: { ...books, ...change } } });
const ofProvider = (change: object) =>
  problemsOf({
    providers: { own: { ...rotating, ...change } },
    connections: { books: { ...books, provider: 'own' } },
  });

describe('a connection whose credential rotates', () => {
  it('has a secret of the broker for it, and renews on a word of callers every ten minutes', () => {
    const { connections, warnings } = resolveConnections({ connections: { books } });

    expect(connections['books']).toMatchObject({
      keptSecret: 'token-broker/books/kept',
      renewalCooldownSeconds: 600,
      subjects: { system: true, users: false },
    });
    expect(warnings).toEqual([]);
  });

  it('has none where nothing rotates', () => {
    const declared = { connections: { desk: { provider: 'helpmaster', baseUrl: 'https://desk.example.com' } } };

    expect(resolveConnections(declared).connections['desk']).not.toHaveProperty('keptSecret');
  });

  it.each([
    ['users', { subjects: { users: true } }, 'connections.books.subjects.users is not served'],
    ['reports that renew too often', { renewalCooldownSeconds: 599 }, 'connections.books.renewalCooldownSeconds must'],
    ['a life under 15 minutes', { maxTokenAgeSeconds: 899 }, 'connections.books.maxTokenAgeSeconds must be 900'],
    ['a refresh within ten minutes', { maxTokenAgeSeconds: 900, refreshAfter: 0.6 }, 'connections.books.refreshAfter'],
  ])('is refused with %s', (_, change, problem) => {
    expect(ofConnection(change)).toEqual([expect.stringContaining(problem)]);
  });

  it('is refused where another connection has the same secret', () => {
    const problems = problemsOf({
      connections: { books: { ...books, secret: 'shared' }, other: { ...books, secret: 'shared' } },
    });

    expect(problems).toEqual([
      expect.stringMatching(/^connections\.books\.secret is also that of other, .*a secret of its own$/),
      expect.stringMatching(/^connections\.other\.secret is also that of books/),
    ]);
  });
});

describe('a provider whose credential rotates', () => {
  const at = 'providers.own.secretFields.refreshToken.rotates';
  it.each([
    [
      'no step that reads the next value',
      { logins: { system: [{ ...login, reads: { token: login.reads.token } }] } },
      at,
    ],
    ['users', { userSubject: { pattern: '[a-z]+' }, logins: { system: [login], user: [login] } }, at],
    ['a life under 15 minutes', { lifetime: [{ seconds: 899 }] }, at],
    ['a renewal that sends it', { renewal: { refresh: [login] } }, at],
    ['a logout that sends it', { logout: { url: '/logout', form: { token: '{refreshToken}' } } }, at],
    ['it in API calls', { placement: { headers: { 'x-refresh': '{refreshToken}', 'x-token': '{token}' } } }, at],
  ])('is refused with %s', (_, change, path) => {
    expect(ofProvider(change)).toEqual(expect.arrayContaining([expect.stringContaining(path)]));
  });

  it('is taken as it should be', () => {
    expect(ofProvider({})).toEqual([]);
  });
});
