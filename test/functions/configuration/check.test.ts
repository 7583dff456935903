import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import example from '../../../cdk/connections.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';
import { sharedKeys } from '../../../functions/configuration/schema.ts';
import { fingerprintOf, lifetimeSecondsOf } from '../../../functions/core/slot/connection.ts';
import { providers } from '../../../functions/providers/registry.ts';
import { settingsOf } from '../../fuzz/runs.ts';
import { connectionOf, helpdesk, pathsOf, problemsOf, refusalOf, warningsOf, wfm } from './declared.ts';

describe('defaults', () => {
  it('fills in everything for a connection that declares provider and base URL alone (H3, H4, H6)', () => {
    const { fingerprint, ...connection } = connectionOf(helpdesk);

    expect(connection).toEqual({
      name: 'it',
      provider: { name: 'helpmaster', ...providers.helpmaster },
      baseUrl: 'https://helpmaster.example.com/api',
      allowPlainHttp: false,
      secret: 'token-broker/it',
      subjects: { system: true, users: true },
      minTtlSeconds: 60,
      refreshAfter: 0.8,
      idleSeconds: 86_400,
      maxTokenAgeSeconds: 86_400,
      memorySeconds: 30,
      timeoutSeconds: 6,
      renewalCooldownSeconds: 60,
      tokensOverlap: true,
      settings: { systemTokenPath: '/user/getsystemtoken', userTokenPath: '/user/gettoken' },
      proxyOnly: false,
      isolation: 'it',
    });
    expect(fingerprint).toBe(fingerprintOf(connection));
  });

  it('gives a provider with a fixed life its own defaults (C2, C3, C17, C18, C20)', () => {
    expect(connectionOf(wfm)).toMatchObject({
      subjects: { system: true, users: false },
      refreshAfter: 0.75,
      idleSeconds: 3600,
      lifetimeSeconds: 1200,
      maxSessionSeconds: 43_200,
      settings: { loginPath: '/AuthenticateEx', loginParameter: 'form' },
    });
  });

  it('C20: refreshes earlier where there is a path to slide with', () => {
    expect(connectionOf({ ...wfm, keepAlivePath: '/Ping' }).refreshAfter).toBe(0.5);
    expect(connectionOf({ ...wfm, keepAlivePath: '/Ping', refreshAfter: 0.6 }).refreshAfter).toBe(0.6);
  });

  it.each([
    [helpdesk, {}, 86_400, 86_400],
    [helpdesk, { maxTokenAgeSeconds: 7_200 }, 7_200, 7_200],
    [helpdesk, { maxTokenAgeSeconds: 1_200 }, 1_200, 3_600],
    [helpdesk, { idleSeconds: 10 }, 86_400, 10],
    [wfm, {}, 1_200, 3_600],
    [wfm, { lifetimeSeconds: 5_000 }, 5_000, 5_000],
    [wfm, { lifetimeSeconds: 20_000, maxTokenAgeSeconds: 7_200 }, 7_200, 7_200],
  ])('keeps refreshing %j with %j, that lives %i seconds, while idle for %i', (least, declared, life, idle) => {
    const connection = connectionOf({ ...least, ...declared });

    expect([lifetimeSecondsOf(connection), connection.idleSeconds]).toEqual([life, idle]);
  });

  it('fills in the proxy only where one is declared', () => {
    expect(connectionOf(helpdesk)).not.toHaveProperty('proxy');
    expect(connectionOf({ ...helpdesk, proxy: {} }).proxy).toEqual({
      methods: ['GET', 'HEAD'],
      paths: ['/'],
      headers: [],
      timeoutSeconds: 8,
    });
  });

  it('reads a key declared as undefined as one left out', () => {
    expect(connectionOf({ ...helpdesk, secret: undefined, proxy: undefined, refreshAfter: undefined })).toEqual(
      connectionOf(helpdesk),
    );
  });
});

describe('a declared value', () => {
  it('is taken over', () => {
    const declared = {
      minTtlSeconds: 0,
      refreshAfter: 0.9,
      idleSeconds: 60,
      maxTokenAgeSeconds: 3600,
      memorySeconds: 0,
      timeoutSeconds: 12,
      renewalCooldownSeconds: 0,
      tokensOverlap: false,
      secret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/helpdesk-AbC123',
      subjects: { system: false, staff: ['88', '2147483647'] },
      proxy: { methods: ['POST'], paths: ['/jobs/'], headers: ['x-tenant'], timeoutSeconds: 12 },
      isolation: 'support',
      vpc: 'vpc-0123abcd',
      securityGroups: ['sg-0123abcd'],
    };

    const subjects = { system: false, users: declared.subjects.staff };

    expect(connectionOf({ ...helpdesk, ...declared })).toMatchObject({ ...declared, subjects });
  });

  it('has its own settings in the fingerprint (invariant 8)', () => {
    const fingerprints = [
      {},
      { loginPath: '/Other' },
      { loginParameter: 'json' },
      { keepAlivePath: '/Ping' },
      { secret: 'other' },
      { baseUrl: 'https://wfm.example.com/other' },
    ].map((change) => connectionOf({ ...wfm, ...change }).fingerprint);

    expect(new Set(fingerprints).size).toBe(fingerprints.length);
    expect(connectionOf({ ...wfm, minTtlSeconds: 10, timeoutSeconds: 3 }).fingerprint).toBe(fingerprints[0]);
  });

  it('has one slot for base URLs that only look different', () => {
    const { fingerprint } = connectionOf(helpdesk);

    for (const baseUrl of ['https://helpmaster.example.com/api/', 'HTTPS://HelpMaster.example.com:443/api']) {
      expect(connectionOf({ ...helpdesk, baseUrl })).toMatchObject({ baseUrl: helpdesk.baseUrl, fingerprint });
    }
  });

  it('names the secrets that the stack has to make', () => {
    const { madeSecrets } = resolveConnections({
      connections: { a: helpdesk, b: { ...wfm, secret: 'token-broker/b' } },
    });

    expect(madeSecrets).toEqual(['a']);
  });

  it('finds no connection under a name that every object has', () => {
    const { connections } = resolveConnections({ connections: { it: helpdesk } });

    expect(connections['constructor']).toBeUndefined();
    expect(Object.getPrototypeOf(connections)).toBeNull();
    expect(resolveConnections({ connections: { constructor: helpdesk } }).connections['constructor']?.name).toBe(
      'constructor',
    );
  });
});

describe('a refused declaration', () => {
  it('names every problem at once, each with its path and the remedy', () => {
    const error = refusalOf({
      strictAudit: 'yes',
      callers: ['o-a1b2c3d4e5', 'everybody'],
      extra: 1,
      connections: {
        'Bad Name': helpdesk,
        a: { ...helpdesk, timeoutSeconds: 13, minTtlSeconds: 50_000, loginPath: '/x', typo: 1 },
        b: { provider: 'other', baseUrl: 'ftp://b.example.com' },
        c: null,
      },
      trust: [{ issuer: 'http://idp.example.com' }],
    });

    expect(error.problems.map(({ path }) => path).sort()).toEqual(
      [
        'strictAudit',
        'callers[1]',
        'extra',
        'connections["Bad Name"]',
        'connections.a.timeoutSeconds',
        'connections.a.minTtlSeconds',
        'connections.a.loginPath',
        'connections.a.typo',
        'connections.b.provider',
        'connections.b.baseUrl',
        'connections.c',
        'trust[0].issuer',
        'trust[0].audience',
        'trust[0].subject',
        'trust[0].connections',
      ].sort(),
    );
    for (const { path, message } of error.problems) {
      expect(error.message).toContain(`  ${path}: ${message}`);
    }
    expect(error.message).toMatch(/^The configuration has 15 problems:\n/);
  });

  it.each(Object.keys(sharedKeys))('names a fault across keys beside one of `%s` itself', (key) => {
    const across =
      key === 'vpc' || key === 'securityGroups' ? { tokensOverlap: false } : { securityGroups: ['sg-0123abcd'] };

    for (const faulty of [{}, -1, '', 'eyJhbGciOiJub25lIn0', '-----BEGIN PRIVATE KEY-----']) {
      const paths = pathsOf({ ...helpdesk, ...across, [key]: faulty });
      if (paths.some((path) => path === key)) expect(paths).toEqual(expect.arrayContaining(Object.keys(across)));
    }
    expect(pathsOf({ ...helpdesk, ...across, [key]: -1 })).toContain(key);
  });

  it('lists the providers and the keys that there are', () => {
    expect(problemsOf({ ...helpdesk, provider: 'nope' })[0]?.message).toContain('`helpmaster`, `community-web-api`');
    expect(problemsOf({ ...helpdesk, typo: 1 })[0]?.message).toMatch(/`baseUrl`.*`systemTokenPath`/);
    expect(problemsOf({ ...helpdesk, typo: 1 })[0]?.message).not.toContain('loginPath');
  });

  it.each([
    ['loginPath', helpdesk, '/x', 'community-web-api'],
    ['lifetimeSeconds', helpdesk, 100, 'not to helpmaster'],
    ['maxSessionSeconds', helpdesk, 100, 'not to helpmaster'],
    ['userTokenPath', wfm, '/x', 'helpmaster, not to community-web-api'],
  ])('says to which provider `%s` belongs', (key, base, value, text) => {
    expect(problemsOf({ ...base, [key]: value })).toEqual([{ path: key, message: expect.stringContaining(text) }]);
  });

  it.each(['{"connections":{"__proto__":{}}}', '{"__proto__":1}', '{"connections":{"a":{"proxy":{"__proto__":[]}}}}'])(
    'refuses a `__proto__` key in %s',
    (text) => {
      expect(refusalOf(JSON.parse(text)).message).toMatch(/__proto__: must not be used as a key/);
    },
  );

  it.each([{}, { connections: {} }, { connections: [] }, { connections: null }])(
    'needs connections, not %j',
    (input) => {
      expect(refusalOf(input).problems.map(({ path }) => path)).toEqual(['connections']);
    },
  );

  it('cuts and escapes odd keys', () => {
    const { problems } = refusalOf({ connections: { [`x\n${'y'.repeat(500)}`]: helpdesk } });

    expect(problems[0]?.path).toMatch(/^connections\["x\\ny{62}…"\]$/);
  });
});

describe('warnings', () => {
  it('says nothing where nothing is unsafe', () => {
    expect(resolveConnections(example).warnings).toEqual([]);
    expect(warningsOf({ ...helpdesk, baseUrl: 'http://127.0.0.1:8080' })).toEqual([]);
  });

  it('names a connection that travels unencrypted, and a permission that does nothing', () => {
    expect(warningsOf({ ...helpdesk, baseUrl: 'http://10.1.2.3/api', allowPlainHttp: true })).toEqual([
      expect.stringMatching(/^connections\.it\.allowPlainHttp: .*unencrypted/),
    ]);
    expect(warningsOf({ ...helpdesk, allowPlainHttp: true })).toEqual([expect.stringContaining('no effect')]);
  });

  it('C3: names a login that puts the password into the URL', () => {
    expect(warningsOf({ ...wfm, loginParameter: 'query' })).toEqual([
      expect.stringMatching(/^connections\.it\.loginParameter: `query` .*access log/),
    ]);
    expect(warningsOf({ ...wfm, loginParameter: 'json' })).toEqual([]);
  });
});

describe('the example', () => {
  it('is a valid configuration with a proxy for each connection', () => {
    const { connections, madeSecrets } = resolveConnections(example);

    expect(Object.keys(connections)).toEqual(['helpdesk', 'wfm']);
    expect(Object.values(connections).every(({ proxy }) => proxy !== undefined)).toBe(true);
    expect(connections['wfm']?.settings['keepAlivePath']).toBe('/SingleRecurringEvent');
    expect(madeSecrets).toEqual(['helpdesk', 'wfm']);
  });
});

describe('an arbitrary declaration', () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom('connections', 'trust', 'strictAudit', '__proto__', 'constructor', ...Object.keys(wfm), 'proxy'),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, 0, -1, 1e300, '', 'helpmaster', 'https://a.example.com', '(', '.*'),
      fc.string(),
      fc.array(tie('json'), { maxLength: 4 }),
      fc
        .array(fc.tuple(key, tie('json')), { maxLength: 6 })
        .map((entries) => JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)}}`)),
    ),
  }));
  const nearMiss = fc.record({
    connections: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,3}$/),
      fc
        .tuple(json, fc.constantFrom(helpdesk, wfm))
        .map(([some, base]) => (isObject(some) ? { ...base, ...some } : some)),
    ),
    trust: fc.array(json),
  });

  it('is either resolved or refused with problems, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(json, nearMiss), (input) => {
        try {
          resolveConnections(input);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          expect(error).toHaveProperty('problems.0.message');
        }
      }),
      settingsOf(500),
    );
  });

  it.each([undefined, null, 1, 'x', [], () => 0, new Map(), Symbol('x'), 1n])('refuses %s', (input) => {
    expect(refusalOf(input).problems).not.toHaveLength(0);
  });

  it('survives a declaration of any depth', () => {
    const deep = JSON.parse(`{"connections":{"it":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`);

    expect(refusalOf(deep).problems.map(({ path }) => path)).toEqual(['connections.it']);
  });

  it('survives a declaration that contains itself', () => {
    const cyclic: Record<string, unknown> = { connections: { it: helpdesk } };
    cyclic['more'] = cyclic;

    expect(refusalOf(cyclic).problems.map(({ path }) => path)).toEqual(['more']);
  });
});

it('names no provider itself, so that a new one is a line in the table', () => {
  const folder = new URL('../../../functions/configuration/', import.meta.url);
  const codeOf = (file: string) => readFileSync(new URL(file, folder), 'utf8').replace(/\/\*\*.*?\*\//gs, '');

  for (const name of Object.keys(providers)) {
    expect(readdirSync(folder).filter((file) => codeOf(file).includes(`'${name}'`))).toEqual([]);
  }
});

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
