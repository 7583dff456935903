import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';

const login = {
  url: '/session',
  json: { key: '{key}' },
  reads: { token: { in: 'body', path: ['id'] } },
};
const bookings = {
  secretFields: { key: {} },
  logins: { system: [login] },
  placement: { headers: { 'x-session': '{token}' } },
  lifetime: [{ seconds: 3600 }],
};

/** A provider whose token is made here. */
const selfSigned = {
  ...bookings,
  derived: { token: { base64: '{key}' }, print: { digest: 'sha256', of: '{token}', as: 'hex' } },
  logins: { system: [] },
};

function resolve(provider: object, connection: object = {}) {
  return resolveConnections({
    providers: { bookings: provider },
    connections: { desk: { provider: 'bookings', baseUrl: 'https://bookings.example.com', ...connection } },
  });
}

/** The problems of a provider; that nobody can use it goes without saying. */
function problemsOf(provider: object) {
  try {
    resolve(provider);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.filter(({ path }) => path !== 'connections.desk.provider');
  }
  return [];
}

const step = (change: object) => ({ ...bookings, logins: { system: [{ ...login, ...change }] } });

it.each([
  [{ answers: [{ status: [], means: 'locked' }] }, 'must list at least one'],
  [{ answers: [{ at: login.reads.token, is: [], means: 'locked' }] }, 'must list at least one'],
  [{ answers: [{ status: [42], means: 'locked' }] }, 'must be a status from 100 to 599'],
  [{ limits: { tokens: { count: 0, perSeconds: 60 } } }, 'must be a whole number, 1 or more'],
  [step({ headers: { A: 'x', a: '{key}' } }), 'is there already, in other letters: a header has one value'],
  [{ placement: { headers: { 'X-S': 'é{token}' } } }, 'has a character that no header may carry: use printable ASCII'],
  [step({ headers: { a: 'x\r\ny' } }), 'has a character that no header may carry: use printable ASCII'],
  [
    step({ basic: { user: 'me', password: '{key}' }, headers: { authorization: '{key}' } }),
    'has `basic` and a header `Authorization`: use one of the two',
  ],
])('says in plain words what is wrong with %j', (change, message) => {
  expect(problemsOf({ ...bookings, ...change })).toMatchObject([{ message }]);
});

it('says so of an empty list as a setting too', () => {
  const scoped = { ...bookings, settings: { scope: { kind: 'list' } } };
  expect(() => resolve(scoped, { scope: [] })).toThrow('must be a list of texts, at least one');
});

it('takes no proxy for a provider that places nothing: its calls would go without a token', () => {
  const handedOut = { ...bookings, placement: {} };
  expect(problemsOf(handedOut)).toEqual([]);
  expect(() => resolve(handedOut, { proxy: { paths: ['/'] } })).toThrow('would forward calls without a token');
});

it('takes a token that is all of an answer, as a text in JSON', () => {
  expect(problemsOf(step({ reads: { token: { in: 'body', path: [] } } }))).toEqual([]);
});

it('takes a provider of one request', () => {
  expect(problemsOf(bookings)).toEqual([]);
  expect(resolve(bookings).connections['desk']?.provider).toMatchObject({ name: 'bookings', ...bookings });
});

it('takes a probe and a logout that name the token, and what is made of it', () => {
  const step = { url: '/me', headers: { 'x-token': '{token}', 'x-print': '{print}', 'x-key': '{key}' } };
  expect(problemsOf({ ...selfSigned, probe: step, logout: step })).toEqual([]);
  expect(resolve({ ...selfSigned, probe: step, logout: step }).warnings).toEqual([]);
});

it.each(['{baseUrl}', '{baseUrl}/session', '{baseUrl}?a=b', '{baseUrl}{sessionPath}', '{sessionPath}'])(
  'takes a URL that stands behind the base URL: %s',
  (url) => {
    expect(problemsOf({ ...step({ url }), settings: { sessionPath: { kind: 'path', default: '/s' } } })).toEqual([]);
  },
);

it.each([
  ['with a life of an hour after it', { lifetime: [{ jwt: 'token' }, { seconds: 3600 }] }],
  ['with an age of an hour', { lifetime: [{ jwt: 'token' }], defaults: { maxTokenAgeSeconds: 3600 } }],
  [
    'of a token whose claims are read',
    { lifetime: [{ jwt: 'token' }], userSubject: { pattern: '[a-z]+' }, logins: { user: [login] }, ownerClaim: 'sub' },
  ],
  [
    'of a token that is signed here',
    {
      lifetime: [{ jwt: 'token' }],
      logins: { system: [] },
      derived: { token: { jwt: { alg: 'HS256', key: '{key}', claims: {}, lifeSeconds: 60 } } },
    },
  ],
])('takes the `exp` of a JWT as the end, %s', (_what, change) => {
  expect(problemsOf({ ...bookings, ...change })).toEqual([]);
});

it('takes a brace that is doubled', () => {
  expect(problemsOf(step({ json: { query: 'mutation {{ login(key: "{key}") {{ token } }' } }))).toEqual([]);
});

describe('a provider is refused', () => {
  it.each<[why: string, provider: object, path: string]>([
    ['a key that there is not', { ...bookings, login }, 'providers.bookings.login'],
    ['no login', { ...bookings, logins: {} }, 'providers.bookings.logins'],
    ['a name that nothing gives', step({ json: { key: '{secret}' } }), 'providers.bookings.logins.system[0]'],
    ['a misspelt key of a step', step({ querry: {} }), 'providers.bookings.logins.system[0].querry'],
    ['no token', step({ reads: {} }), 'providers.bookings.logins.system'],
    ['a host out of the secret', step({ url: 'https://{key}/session' }), 'providers.bookings.logins.system[0].url'],
    ['plain http', step({ url: 'http://api.example.com/session' }), 'providers.bookings.logins.system[0].url'],
    [
      'another host behind the base URL',
      step({ url: '{baseUrl}@evil.example/session' }),
      'providers.bookings.logins.system[0].url',
    ],
    [
      'a longer host than the base URL has',
      { ...bookings, placement: { ...bookings.placement, baseUrl: '{baseUrl}.evil.example' } },
      'providers.bookings.placement.baseUrl',
    ],
    [
      'a word in the place of a path behind the base URL',
      step({ url: '{baseUrl}{key}' }),
      'providers.bookings.logins.system[0].url',
    ],
    ['two bodies', step({ form: { key: '{key}' } }), 'providers.bookings.logins.system[0]'],
    ['a method that there is not', step({ method: 'PATCHY' }), 'providers.bookings.logins.system[0].method'],
    [
      'a broken header name',
      { ...bookings, placement: { headers: { 'x y': '{token}' } } },
      'providers.bookings.placement',
    ],
    [
      'no token in a call',
      { ...bookings, placement: { headers: { 'x-session': 'x' } } },
      'providers.bookings.placement',
    ],
    ['no end of a token', { ...bookings, lifetime: [] }, 'providers.bookings.lifetime'],
    [
      'no end of a token that may be no JWT',
      { ...bookings, lifetime: [{ jwt: 'token' }] },
      'providers.bookings.lifetime',
    ],
    [
      'an age of more than an hour, where nothing else may say the end',
      { ...bookings, lifetime: [{ jwt: 'token' }], defaults: { maxTokenAgeSeconds: 3601 } },
      'providers.bookings.lifetime',
    ],
    ...['{client-id}', '{ key }', 'query {{ me {', '{{{', '{}'].map((text): [string, object, string] => [
      `a brace that begins no name: ${text}`,
      step({ json: { deep: [{ text }] } }),
      'providers.bookings.logins.system[0]',
    ]),
    [
      'such a brace in a call',
      { ...bookings, placement: { headers: { 'x-session': '{token}', 'x-site': '{site-id}' } } },
      'providers.bookings.placement',
    ],
    [
      'such a brace in a claim',
      {
        ...bookings,
        derived: { proof: { jwt: { alg: 'HS256', key: '{key}', claims: { iss: '{' }, lifeSeconds: 60 } } },
      },
      'providers.bookings.derived.proof',
    ],
    [
      'a name that every object has',
      step({ reads: { ...login.reads, toString: login.reads.token } }),
      'providers.bookings.logins.system[0].reads',
    ],
    [
      'a claim that names a setting which is not there',
      {
        ...bookings,
        derived: { proof: { jwt: { alg: 'HS256', key: '{key}', claims: { iss: '{tenant}' }, lifeSeconds: 60 } } },
      },
      'providers.bookings.derived.proof',
    ],
    [
      'an end of its own in a JWT',
      {
        ...bookings,
        derived: { proof: { jwt: { alg: 'HS256', key: '{key}', claims: { exp: 9_999_999_999 }, lifeSeconds: 60 } } },
      },
      'providers.bookings.derived.proof.jwt.claims.exp',
    ],
    [
      'a pattern that takes long',
      { ...bookings, logins: { system: [login], user: [login] }, userSubject: { pattern: '(a+)+' } },
      'providers.bookings.userSubject.pattern',
    ],
    [
      'a subject that is sent as a number, and may be longer than one',
      {
        ...bookings,
        logins: { user: [{ ...login, json: { who: [{ number: '{subject}' }] } }] },
        userSubject: { pattern: '[0-9]+' },
      },
      'providers.bookings.userSubject.maximum',
    ],
    [
      'an attribute that the broker gives',
      { ...bookings, attributes: { asOf: { member: 'at', type: 'string' } } },
      'providers.bookings.attributes.asOf',
    ],
    ['users without a word for them', { ...bookings, logins: { user: [login] } }, 'providers.bookings'],
    ['an enum without values', { ...bookings, settings: { way: { kind: 'enum' } } }, 'providers.bookings.settings.way'],
    ...(['RS257', '{way}', '{key}', 'x{way}'] as const).map((alg): [string, object, string] => [
      `a signature by ${alg}`,
      {
        ...bookings,
        settings: { way: { kind: 'enum', values: ['RS256', 'none'] } },
        derived: { proof: { jwt: { alg, key: '{key}', claims: {}, lifeSeconds: 60 } } },
      },
      'providers.bookings.derived.proof.jwt.alg',
    ]),
    [
      'a text that is repeated',
      { ...bookings, settings: { resource: { kind: 'text', repeated: true } } },
      'providers.bookings.settings.resource',
    ],
    [
      'a setting with the name of a key of connections',
      { ...bookings, settings: { baseUrl: { kind: 'text' } } },
      'providers.bookings.settings.baseUrl',
    ],
    [
      'a signature without a key',
      { ...bookings, derived: { proof: { jwt: { alg: 'RS256', key: '{pem}', claims: {}, lifeSeconds: 60 } } } },
      'providers.bookings.derived.proof',
    ],
    ['the name of a preset', {}, 'providers.helpmaster'],
    ['a probe of a login that is sent', { ...bookings, probe: { url: '/me' } }, 'providers.bookings.probe'],
    ...(['probe', 'logout'] as const).flatMap((key): [string, object, string][] => {
      const last = (change: object) => ({ ...selfSigned, [key]: { url: '/last', ...change } });
      return [
        [`a name in its ${key} that nothing gives`, last({ form: { key: '{nobody}' } }), `providers.bookings.${key}`],
        [`a ${key} on a host out of the secret`, last({ url: 'https://{key}/' }), `providers.bookings.${key}.url`],
        [`a ${key} over plain http`, last({ url: 'http://api.example.com/' }), `providers.bookings.${key}.url`],
        [`a ${key} with two bodies`, last({ json: {}, form: {} }), `providers.bookings.${key}`],
        [`a value that its ${key} reads`, last({ reads: { more: { in: 'text' } } }), `providers.bookings.${key}.reads`],
      ];
    }),
  ])('for %s', (_why, provider, path) => {
    const problems =
      path === 'providers.helpmaster'
        ? refusedPreset()
        : problemsOf(provider).filter((problem) => problem.path.startsWith(path));

    expect(problems).not.toEqual([]);
    expect(problems[0]?.message).toMatch(/^[a-z`]/);
  });
});

function refusedPreset() {
  try {
    resolveConnections({ providers: { helpmaster: bookings }, connections: {} });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.filter(({ path }) => path === 'providers.helpmaster');
  }
  return [];
}

describe('a slide by every answer', () => {
  const slide = { method: 'GET', url: '/ping', reads: { token: { in: 'header', name: 'X-Next' } } };
  const sliding = { ...bookings, renewal: { slide, everyAnswer: true } };
  const reads = { token: login.reads.token, life: { in: 'body', path: ['life'] } };
  const ending = {
    ...sliding,
    logins: { system: [{ ...login, reads }] },
    lifetime: [{ value: 'life', as: 'seconds' }],
  };
  const inHeader = { ...slide.reads, life: { in: 'header', name: 'X-Seconds' } };

  it('needs the end in each answer, and calls that carry nothing made of the token', () => {
    const at = { path: 'providers.bookings.renewal.everyAnswer' };
    expect(problemsOf(sliding)).toEqual([]);
    expect(problemsOf(ending)).toMatchObject([at]);
    expect(problemsOf({ ...ending, renewal: { slide: { ...slide, reads: inHeader }, everyAnswer: true } })).toEqual([]);
    const derived = { print: { digest: 'sha256', of: '{token}', as: 'hex' } };
    expect(problemsOf({ ...sliding, derived, placement: { headers: { 'x-print': '{print}' } } })).toMatchObject([at]);
  });
});

describe('an operator is warned', () => {
  it('of a credential in a URL, and of the password grant', () => {
    expect(resolve({ ...bookings, logout: { url: '/leave', query: { key: '{key}' } } }).warnings).toEqual([
      expect.stringContaining('logout puts a part of the credential into the URL'),
    ]);
    expect(resolve(step({ query: { key: '{key}' } })).warnings).toEqual([
      expect.stringContaining("logins.system.0 puts a part of the credential into the URL, and so into the upstream's"),
    ]);
    const byParameter = { url: '/session', parameters: { as: 'query', of: { l: '{key}' } }, reads: login.reads };
    expect(resolve({ ...bookings, logins: { system: [byParameter] } }).warnings).toEqual([
      expect.stringContaining('logins.system.0 puts a part of the credential into the URL'),
    ]);
    const placement = { headers: bookings.placement.headers, query: { key: '{key}' } };
    const proxy = { proxy: { methods: ['GET'], paths: ['/'] } };
    expect(resolve({ ...bookings, placement }, proxy).warnings).toEqual([
      expect.stringContaining('placement puts a part of the credential into the URL'),
    ]);
    expect(resolve(step({ json: { grant_type: 'password', key: '{key}' } })).warnings).toEqual([
      expect.stringContaining('RFC 9700'),
    ]);
  });
});
