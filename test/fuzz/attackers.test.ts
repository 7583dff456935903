import fc from 'fast-check';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { TokenBrokerError } from '../../client/error.ts';
import { upstreamUrlOf } from '../../client/upstream-fetch.ts';
import { resolveConnections } from '../../functions/configuration/check.ts';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import type { Trust } from '../../functions/configuration/trust.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { ExchangeError } from '../../functions/exchange/exchange-error.ts';
import type { IssuerKeys } from '../../functions/exchange/issuer-keys.ts';
import { findTrust } from '../../functions/exchange/trust-rules.ts';
import { createWorkloadVerifier, readIdentity } from '../../functions/exchange/workload.ts';
import { pickRequestHeaders } from '../../functions/http/forwarded-headers.ts';
import { assertAllowed, checkPath } from '../../functions/proxy/path.ts';
import { settingsOf, timeoutOf } from './runs.ts';

const RUNS = 300;

/** Parts that attackers put together; strings of random characters would hardly ever get past the first check. */
const pieces = (...texts: string[]) => fc.array(fc.constantFrom(...texts), { maxLength: 6 }).map((all) => all.join(''));

describe('a path', () => {
  const { connections } = resolveConnections({
    connections: { wfm: { provider: 'community-web-api', baseUrl: 'https://wfm.example.com' } },
  });
  const policy = { methods: ['POST'], paths: ['/open'], headers: [], timeoutSeconds: 8 };

  /** All that servers are known to do to a path, each alone and then all of them again, twice. */
  const LENIENT: readonly ((path: string) => string)[] = [
    decode,
    (path) => path.normalize('NFKC'),
    (path) => path.replaceAll('\\', '/'),
    (path) => path.replace(/;[^/]*/g, ''),
    (path) => path.replace(/[\u2044\u2215\u29f8]/g, '/').replaceAll('\u2216', '\\'),
    (path) => path.replace(/[ \t.\u00a0]+(?=\/|$)/g, (end) => (/^\.\.?$/.test(end.trim()) ? end.trim() : '')),
    (path) => path.replace(/\p{Cf}/gu, ''),
    (path) => path.replace(/[?#\0].*$/s, ''),
    (path) => new URL(path.replace(/^\/*/, '/'), 'http://upstream.example').pathname,
    (path) => path.replace(/\/{2,}/g, '/'),
    (path) => path.toLowerCase(),
  ];

  function readings(path: string): readonly string[] {
    const once = LENIENT.map((read) => read(path));
    const all = (from: string) => LENIENT.reduce((read, next) => next(read), from);
    return [...once, ...once.map(all), ...once.map(all).map(all)];
  }

  const segment = pieces(
    ...['open', 'AuthenticateEx', 'authenticate', 'sso', 'v2', 'x', 'ｏｐｅｎ', 'ｓｓｏ', 'ſſo'],
    ...['.', '..', '．', '․', '‥', ' ', '%20', '\u00a0', '\u200b', ';', ';x=1', ':', '(', ')', ',', '~'],
    ...['%2e', '%2E', '%2f', '%5c', '%25', '%252e', '%00', '\\', '／', '∕', '⁄', '＼', '%3f', '?', '#', '%23'],
  );
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => ['open', ...segments].join('/'));
  const anyPath = fc.array(segment, { maxLength: 5 }).map((segments) => segments.join('/'));

  it(
    'that is forwarded stays under its prefix, however a server reads it',
    () => {
      fc.assert(
        fc.property(path, (asked) => {
          const sent = forwarded(asked, ['/open']);
          if (sent === undefined) return;
          for (const read of readings(sent)) expect(read.toLowerCase(), read).toMatch(/^\/open(?:[/;.:(,~ ]|$)/);
        }),
        settingsOf(RUNS * 4),
      );
    },
    timeoutOf(RUNS),
  );

  it(
    'that is forwarded is no login’s, however a server reads it',
    () => {
      const isLogin = /^\/authenticateex(?:\/|$)/;
      fc.assert(
        fc.property(anyPath, (asked) => {
          const sent = forwarded(asked, ['/']);
          if (sent === undefined) return;
          for (const read of readings(sent)) expect(read.toLowerCase(), read).not.toMatch(isLogin);
        }),
        settingsOf(RUNS * 4),
      );
    },
    timeoutOf(RUNS),
  );

  it(
    'that the client sends a token along stays behind its base URL, however a server reads it',
    () => {
      fc.assert(
        fc.property(anyPath, (asked) => {
          const sent = besideToken(`/${asked}`);
          if (sent === undefined) return;
          for (const read of readings(sent)) expect(read.toLowerCase(), read).toMatch(/^\/open(?:\/|$)/);
        }),
        settingsOf(RUNS * 4),
      );
    },
    timeoutOf(RUNS),
  );

  /** The path that the client sends a token along; undefined if it refuses. */
  function besideToken(target: string): string | undefined {
    try {
      return new URL(upstreamUrlOf('wfm', target, { wfm: 'https://wfm.example.com/open' })).pathname;
    } catch (error) {
      if (!(error instanceof TokenBrokerError)) throw error;
      return undefined;
    }
  }

  /** The path that is sent for one that was asked for; undefined if it is refused. */
  function forwarded(asked: string, paths: readonly string[]): string | undefined {
    const connection = connections['wfm'];
    if (connection === undefined) throw new Error('the connection is declared');
    try {
      // A client escapes what no URL may hold; API Gateway hands the path over as it was sent.
      const sent = checkPath(asked.replace(/[^!"$->@-~]/gu, encodeURIComponent));
      assertAllowed({ ...policy, paths }, { method: 'POST', path: sent }, connection);
      return sent;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      expect(['invalid_request', 'proxy_not_allowed']).toContain(error.code);
      return undefined;
    }
  }
});

describe('a header', () => {
  const name = fc.oneof(
    pieces(
      'x',
      '-',
      '_',
      'api',
      'key',
      'API',
      'Key',
      'auth',
      'token',
      'host',
      'forwarded',
      'original',
      'url',
      'method',
    ),
    fc.constantFrom('Authorization', 'COOKIE', 'X-Amz-Date', 'x-amzn-trace-id', 'Transfer-Encoding', 'Connection'),
    fc.constantFrom('Content-Length', 'Host', 'TE', 'Expect', 'X-Declared', 'x_declared', '__proto__', 'constructor'),
  );
  const headers = fc.dictionary(name, fc.constantFrom('mine', 'AWS4-HMAC-SHA256 x', '', 'a, b'));

  it('of a caller’s own that the broker places or keeps is never forwarded', () => {
    const kept =
      /^(?:host|cookie|connection|te|expect|content-length|transfer-encoding|authorization|x-amzn?-.*|x-api-key)$/;
    fc.assert(
      fc.property(headers, (given) => {
        try {
          const options = { tokenHeaders: ['X-Api-Key', 'Authorization'], policyHeaders: ['x-declared'] };
          const picked = pickRequestHeaders(given, options);
          expect(Object.getPrototypeOf(picked)).toBe(Object.prototype);
          for (const each of Object.keys(picked)) {
            expect(each.toLowerCase().replaceAll('_', '-')).not.toMatch(kept);
            expect(each).toMatch(/^(?:accept|content-|if-|x-declared$)/);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
      }),
      settingsOf(RUNS * 4),
    );
  });
});

describe('a JWT', () => {
  const NOW = 1_800_000_000;
  const issuer = 'https://issuer.example';
  const claims = { iss: issuer, aud: 'broker', sub: 'repo:acme/app:ref:refs/heads/main', iat: NOW, exp: NOW + 300 };
  let good = '';
  let keys: IssuerKeys;

  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256' };
    good = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'JWT' }).sign(pair.privateKey);
    keys = () => ({ find: createLocalJWKSet({ keys: [jwk] }), renew: async () => false });
  });

  const header = fc.record(
    {
      alg: fc.constantFrom('none', 'None', 'HS256', 'ES256', 'RS256', 'ES256K', '', 'es256'),
      kid: fc.constantFrom('k', 'other', '../../dev/null', "' OR 1=1", ''),
      typ: fc.constantFrom('JWT', 'logout+jwt', 'at+jwt', 'JOSE'),
      jwk: fc.constant({ kty: 'oct', k: 'AAAA' }),
      jku: fc.constant('https://evil.example/keys'),
      crit: fc.constantFrom(['exp'], ['b64'], []),
      b64: fc.boolean(),
      zip: fc.constant('DEF'),
      cty: fc.constant('JWT'),
    },
    { requiredKeys: ['alg'] },
  );
  const changed = fc.record(
    {
      sub: fc.constantFrom('repo:evil/app:ref:refs/heads/main', '', 'repo:acme/app:ref:refs/heads/main\u0000'),
      exp: fc.constantFrom(NOW + 9e9, '1e400', null),
      iss: fc.constantFrom(issuer, `${issuer}/`, 'https://evil.example'),
      aud: fc.constantFrom('broker', ['broker', 'x'], { broker: 1 }),
    },
    { requiredKeys: [] },
  );
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const ruin = fc.oneof(
    fc.tuple(header, changed).map(([head, body]) => {
      const [, , signature] = good.split('.');
      return `${bytes(head)}.${bytes({ ...claims, ...body })}.${signature}`;
    }),
    fc.tuple(header, changed).map(([head, body]) => `${bytes(head)}.${bytes({ ...claims, ...body })}.`),
    fc.tuple(fc.nat(), fc.constantFrom('A', 'z', '.', '=', '+', '\n', '%', '\u0000')).map(([at, by]) => {
      const place = at % good.length;
      return `${good.slice(0, place)}${by}${good.slice(place + 1)}`;
    }),
    fc.constantFrom(' ', '\n', '.', '..', '=', '\u0000').map((more) => `${good}${more}`),
    fc.string().map((more) => `${good}.${more}`),
  );

  it(
    'that its issuer did not sign is refused, with one text for outsiders',
    async () => {
      const verify = createWorkloadVerifier({ keys, clock: { now: () => NOW * 1000 } });
      expect(await verify(new Secret(good), { issuer })).toMatchObject({ subject: claims.sub });
      await fc.assert(
        fc.asyncProperty(fc.noBias(ruin), async (text) => {
          if (isSame(text, good)) return;
          const error: unknown = await verify(new Secret(text), { issuer }).catch((thrown: unknown) => thrown);
          expect(error, text).toBeInstanceOf(ExchangeError);
          expect(error).toMatchObject({ error: 'invalid_request', detail: 'The subject token was not accepted.' });
        }),
        settingsOf(RUNS),
      );
    },
    timeoutOf(RUNS),
  );

  it('whatever its claims are: an identity of texts and numbers, or refused', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('sub', 'aud', 'iat', 'exp', 'nbf', 'events', 'jti'), fc.anything()),
        (payload) => {
          try {
            const workload = readIdentity({ typ: 'JWT' }, payload, issuer, NOW * 1000);
            expect(workload.subject).toMatch(/^.{1,1024}$/s);
            expect(workload.audiences.every((each) => typeof each === 'string')).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(ExchangeError);
          }
        },
      ),
      settingsOf(RUNS),
    );
  });

  /** What cannot stand in base64url is read over, and the last bits of a signature mean nothing: the same JWT. */
  function isSame(one: string, other: string): boolean {
    const [a, b] = [one, other].map((text) =>
      text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')),
    );
    return a?.join('.') === b?.join('.');
  }
});

describe('a trust rule', () => {
  const connections = { helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.example.com' } };
  const GITHUB = 'https://token.actions.githubusercontent.com';
  const text = pieces(
    'repo:',
    'acme',
    '/',
    'app',
    ':',
    '*',
    '**',
    'ref:refs/heads/',
    'main',
    'environment:',
    'prod',
    '',
  );
  const rule = fc.record(
    {
      subject: text,
      claims: fc.dictionary(
        fc.constantFrom('repository_owner_id', 'repository_owner', 'repository', 'enterprise_id', 'actor'),
        fc.constantFrom('acme', 'acme/app', '42', '*', '**', '4*', 'acme/*', 'acme*'),
      ),
    },
    { requiredKeys: ['subject'] },
  );
  const stranger = fc.record({
    owner: fc.constantFrom('evil', 'acme-evil', 'evilacme', 'acmeapp', 'Acme', 'a'),
    name: fc.constantFrom('app', 'acme', 'repo:acme', 'main'),
    rest: fc.constantFrom('ref:refs/heads/main', 'environment:prod', 'pull_request', 'ref:refs/heads/acme/app'),
  });

  it('that is taken in silence lets no stranger in, nor whoever took an abandoned name', () => {
    fc.assert(
      fc.property(rule, stranger, fc.boolean(), (declared, { owner, name, rest }, isNamesake) => {
        const trust = declaredIn(declared);
        const ownerName = isNamesake ? 'acme' : owner;
        const claims = {
          ...{ repository_owner_id: '666', repository_owner: ownerName, repository: `${ownerName}/${name}` },
          ...{ enterprise_id: '667', actor: 'acme', iat: 0, exp: 300 },
        };
        const subject = `repo:${ownerName}/${name}:${rest}`;
        const workload = { issuer: GITHUB, subject, audiences: ['broker'], claims };
        const wanted = { connection: 'helpdesk', subject: 'system' };
        expect(findTrust(trust, { workload, source: { issuer: GITHUB }, wanted, now: 0 })).toBeUndefined();
      }),
      settingsOf(RUNS * 4),
    );
  });

  /** The rules as the broker has them; none where it refuses or warns. */
  function declaredIn(declared: object): readonly Trust[] {
    try {
      const trust = [{ issuer: GITHUB, audience: 'broker', connections: ['helpdesk'], ...declared }];
      const { warnings, configuration } = resolve({ connections, trust });
      return warnings.length > 0 ? [] : configuration;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return [];
    }
  }

  function resolve(declaration: unknown) {
    const resolved = resolveConnections(declaration);
    return { warnings: resolved.warnings, configuration: resolved.trust };
  }
});

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
