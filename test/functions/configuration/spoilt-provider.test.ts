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
            { url: '/session', methd: 'POST', reads: { token: { in: 'header', name: '' } } },
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
    'providers.bookings.logins.system[0].reads.token.name',
    'providers.bookings.logins.system[0].methd',
    'providers.bookings.logins.system[1].headers["X Y"]',
    'providers.bookings.placement.headers.X-Session',
    'providers.bookings.lifetime[0]',
  ]);
});

it('mistakes of a key and mistakes across keys are told together, and none that another causes', () => {
  const file = {
    providers: {
      bookings: {
        secretFields: { client: {}, key: { kind: 'pin' } },
        settings: { site: { kind: 'words' } },
        logins: {
          system: [
            { url: 'https://{client}.example.com/session', methd: 'POST', reads: { life: { in: 'header', name: '' } } },
            { url: '/{site}/more', form: { key: '{key}', nothing: '{nobody}' }, reads: { token: { in: 'text' } } },
          ],
        },
        placement: { headers: { 'X Y': '{token}' } },
        lifetime: [{ value: 'life', as: 'seconds' }, { jwt: 'tokn' }],
      },
    },
    connections: { desk: { provider: 'bookings', baseUrl: 'https://bookings.example.com' } },
  };
  const paths = problemsOf(file).map(({ path }) => path);
  expect(paths.toSorted()).toEqual([
    'providers.bookings.lifetime[1]',
    'providers.bookings.logins.system[0].methd',
    'providers.bookings.logins.system[0].reads.life.name',
    'providers.bookings.logins.system[0].url',
    'providers.bookings.logins.system[1]',
    'providers.bookings.placement.headers["X Y"]',
    'providers.bookings.secretFields.key.kind',
    'providers.bookings.settings.site.kind',
  ]);
});

it.each<[string, unknown]>([
  ['no object', 7],
  ['null', null],
  ['a list', []],
  ['an empty object', {}],
  ['a key of the wrong kind', { secretFields: 7, logins: [], placement: 'x' }],
  ['a function', () => 7],
  ['one with a function', { secretFields: {}, logins: () => 7 }],
  ['its own prototype', JSON.parse('{"__proto__": {"secretFields": {}}, "secretFields": {}}')],
])('a provider that is %s is refused without a fault of the check itself', (_, bookings) => {
  const file = {
    providers: { bookings },
    connections: { desk: { provider: 'bookings', baseUrl: 'https://a.example' } },
  };
  expect(problemsOf(file).every(({ path }) => path.startsWith('providers.bookings'))).toBe(true);
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
