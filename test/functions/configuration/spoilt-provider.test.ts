import { expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';

it('a provider with six mistakes gets six messages, each with its path, and its connection none for them', () => {
  const file = {
    providers: {
      bookings: {
        secretFields: { client: {}, key: { kind: 'PEM' } },
        settings: { site: { kind: 'text' } },
        logins: {
          system: [
            { url: '/session', methd: 'POST', reads: { token: { in: 'body', path: [] } } },
            { url: '/more', headers: { 'X Y': '{token}' } },
          ],
        },
        placement: { headers: { 'X-Session': 7 } },
        lifetime: [{ value: 'life', as: 'hours' }],
      },
    },
    connections: { desk: { provider: 'bookings', baseUrl: 'https://bookings.example.com', site: 'Berlin' } },
  };
  const problems = problemsOf(file);
  expect(problems.map(({ path }) => path)).toEqual([
    'providers.bookings.secretFields.key.kind',
    'providers.bookings.logins.system[0].reads.token.path',
    'providers.bookings.logins.system[0].methd',
    'providers.bookings.logins.system[1].headers["X Y"]',
    'providers.bookings.placement.headers.X-Session',
    'providers.bookings.lifetime[0]',
  ]);
});

it('a provider whose names do not fit gets a message for each, and its connection none for them', () => {
  const file = {
    providers: {
      bookings: {
        secretFields: { client: {} },
        derived: { proof: { jwt: { alg: 'HS256', key: '{client}', claims: { iss: '{issuer}' }, lifeSeconds: 60 } } },
        logins: { system: [{ url: '/{clien}', form: { proof: '{prof}' }, reads: { tokn: { in: 'text' } } }] },
        placement: { headers: { 'X-Session': '{token}' } },
        lifetime: [{ value: 'life', as: 'seconds' }],
      },
    },
    connections: { desk: { provider: 'bookings', baseUrl: 'https://bookings.example.com' } },
  };
  const told = problemsOf(file).map(({ path, message }) => `${path}: ${message}`);
  for (const name of ['issuer', 'clien', 'prof', 'life']) {
    expect(told.filter((line) => line.includes(`\`{${name}}\``) || line.includes(`\`${name}\``))).toHaveLength(1);
  }
  expect(told.every((line) => line.startsWith('providers.bookings'))).toBe(true);
});

it('other faults of its connection are named beside it', () => {
  const file = {
    providers: { bookings: { secretFields: {} } },
    connections: { desk: { provider: 'bookings', baseUrl: 'nowhere', timeoutSeconds: 99 } },
  };
  const paths = problemsOf(file).map(({ path }) => path);
  expect(paths).toContain('connections.desk.baseUrl');
  expect(paths).toContain('connections.desk.timeoutSeconds');
});

function problemsOf(file: unknown) {
  try {
    resolveConnections(file);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('The file was taken.');
}
