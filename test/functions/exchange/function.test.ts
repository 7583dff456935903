import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { apiRoutes, methodsOf } from '../../../functions/api/routes.ts';
import { type TokenKind, tokenKinds } from '../../../local/demo/issuer-keyring.ts';
import { helpmasterCall, send } from '../../local/demo/demo-client.ts';
import { deployer, gistOf, startExchangeHarness } from './exchange-harness.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const broker = await startExchangeHarness();
afterAll(() => broker.close());
beforeEach(() => {
  broker.issuer.setKnobs({ keys: 'normal', delayMs: 0 });
  broker.helpmaster.clearLedger();
});

describe('an exchange', () => {
  it('gets a workload a token that opens calls as the system, without any AWS identity', async () => {
    const { status, headers, json } = await broker.exchange(await broker.issuer.sign(deployer));

    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(json).toMatchObject({
      access_token: expect.stringMatching(/^eyJ/),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      connection: 'helpdesk',
      subject: 'system',
    });
    expect((await helpmasterCall(broker.helpmaster, String(json?.['access_token']))).status).toBe(200);
  });

  it('gives the subject that is asked for, and its one token to all who may have it (H8)', async () => {
    const first = await broker.exchange(await broker.issuer.sign(deployer), { requested_subject: '88' });
    const again = await broker.exchange(await broker.issuer.sign(deployer), { requested_subject: '88' });

    expect(first.json).toMatchObject({ subject: '88', source: 'login' });
    expect(again.json).toMatchObject({ subject: '88', source: 'cache', access_token: first.json?.['access_token'] });
  });

  it('says N_A for a token that travels in a header of its own (C14)', async () => {
    const claims = { repository_owner: 'acme', run_attempt: 1, protected: true };
    const token = await broker.issuer.sign({ ...deployer, sub: 'repo:acme/api:environment:prod', ...claims });
    const { json } = await broker.exchange(token, { audience: 'wfm' });

    expect(json).toMatchObject({ token_type: 'N_A', headers: { WFMSGAPIKEY: json?.['access_token'] } });
    expect(json?.['attributes']).toMatchObject({ agentId: 4711 });
  });

  it('takes an ID token, one audience of several, and client_id as if it were not there', async () => {
    const token = await broker.issuer.sign({ ...deployer, aud: ['https://other.example', String(deployer.aud)] });
    const answer = await broker.exchange(token, {
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      requested_token_type: ACCESS_TOKEN,
      client_id: 'whoever',
      something_else: 'x',
      scope: '',
    });

    expect(gistOf(answer)).toBe('200 system');
  });

  it('records the workload that got the token, and neither of the two tokens (invariants 9 and 10)', async () => {
    const token = await broker.issuer.sign(deployer);
    const { json } = await broker.exchange(token);
    const issued = String(json?.['access_token']);
    const hash = createHash('sha256').update(issued).digest('hex');
    const records = broker
      .logged()
      .split('\n')
      .filter((line) => line.includes('"via":"exchange"'));

    expect(JSON.parse(records.at(-1) ?? '')).toMatchObject({
      audit: {
        caller: `${broker.issuer.url}#${deployer.sub}`,
        connection: 'helpdesk',
        subject: 'system',
        token: hash.slice(0, 12),
      },
    });
    for (const secret of [...token.split('.'), issued]) expect(broker.logged()).not.toContain(secret);
  });

  it('takes a token that names no key, while its issuer has but one', async () => {
    expect(gistOf(await broker.exchange(await broker.issuer.sign(deployer, 'without-key-id')))).toBe('200 system');
  });

  it('takes a rule that names where the keys are, and its subjects only', async () => {
    const token = await broker.secondIssuer.sign({ ...deployer, sub: 'second' });

    expect(gistOf(await broker.exchange(token, { requested_subject: '42' }))).toBe('200 42');
    expect(gistOf(await broker.exchange(token))).toBe('400 invalid_target');
    expect(broker.secondIssuer.requests.toSorted()).toEqual(['/.well-known/openid-configuration', '/keys', '/keys']);
  });
});

describe('a subject token that is refused, and no login with it', () => {
  const reasons: readonly (readonly [TokenKind, RegExp])[] = [
    ['expired', /has expired/],
    ['without-expiry', /has no usable claim exp/],
    ['not-yet-valid', /has no usable claim nbf/],
    ['issued-in-the-future', /was issued in the future/],
    ['alg-none', /is not signed with one of/],
    ['hs256-with-the-public-key', /is not signed with one of/],
    ['unknown-critical-header', /is no JWT that its issuer signed/],
  ];
  /** Those that fit no key at hand: the keys are fetched for the first, and for others there is no saying so soon. */
  const unknown: readonly (readonly [TokenKind, RegExp])[] = [
    ['unknown-key', /names a key that its issuer does not publish/],
    ['foreign-signature', /has a signature that does not verify/],
    ['broken-signature', /has a signature that does not verify/],
    ['own-key-in-the-header', /names a key that its issuer does not publish/],
  ];

  it('are all that the demo issuer can forge', () => {
    const others: TokenKind[] = ['normal', 'huge', 'without-key-id'];
    expect(
      [...reasons, ...unknown]
        .map(([kind]) => kind)
        .concat(others)
        .toSorted(),
    ).toEqual(tokenKinds.toSorted());
  });

  const NOT_ACCEPTED = {
    error: 'invalid_request',
    error_description: 'The subject token was not accepted.',
    request_id: expect.any(String),
  };

  it.each(reasons)('%s, and the log says why', async (kind, reason) => {
    const answer = await broker.exchange(await broker.issuer.sign(deployer, kind), { requested_subject: '88' });

    expect(answer.status).toBe(400);
    expect(answer.json).toEqual(NOT_ACCEPTED);
    expect(broker.logged().split('\n').at(-2)).toMatch(reason);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  });

  it.each(unknown)('%s', async (kind, reason) => {
    const own = await startExchangeHarness();
    try {
      const token = await own.issuer.sign(deployer, kind);
      const answers = [await own.exchange(token), await own.exchange(token), await own.exchange(token)];

      expect(answers[0]?.json).toEqual(NOT_ACCEPTED);
      expect(own.logged()).toMatch(reason);
      expect(answers.map(gistOf).slice(1)).toEqual(['400 invalid_request', '503 temporarily_unavailable']);
      expect(own.helpmaster.ledger().logins).toEqual([]);
    } finally {
      await own.close();
    }
  });

  it('a huge one: 413 in the same shape', async () => {
    const answer = await broker.exchange(await broker.issuer.sign(deployer, 'huge'));

    expect(gistOf(answer)).toBe('413 invalid_request');
    expect(answer.json).toMatchObject({
      code: 'payload_too_large',
      error_description: expect.stringContaining('16384'),
    });
  });

  it.each(['x', 'a.b.c', '..', `${'a.'.repeat(4)}a`, 'eyJhbGciOiJFUzI1NiJ9.bm8ganNvbg.AAAA', '\u0000', '💥'])(
    'no JWT: %j',
    async (text) => {
      expect(gistOf(await broker.exchange(text))).toBe('400 invalid_request');
    },
  );

  it('of an issuer that no rule names, without asking that issuer for anything', async () => {
    const requests = broker.issuer.requests.length;
    const iss = 'https://evil.example';
    const token = await broker.issuer.sign({ ...deployer, iss });
    const nearly = await broker.issuer.sign({ ...deployer, iss: `${broker.issuer.url}/` });

    expect(gistOf(await broker.exchange(token))).toBe('400 invalid_request');
    expect(gistOf(await broker.exchange(nearly))).toBe('400 invalid_request');
    expect(broker.issuer.requests).toHaveLength(requests);
  });

  it('of one trusted issuer that says it is the other', async () => {
    const token = await broker.secondIssuer.sign({ ...deployer, iss: broker.issuer.url });

    expect(gistOf(await broker.exchange(token))).toBe('400 invalid_request');
  });

  it.each<[string, Record<string, unknown>]>([
    ['subject', { sub: 7 }],
    ['subject', { sub: '' }],
    ['subject', { sub: 'x'.repeat(1_025) }],
    ['expiry', { exp: '99999999999' }],
    ['time of issue', { iat: 'now' }],
  ])('with an odd %s: %j', async (_, claims) => {
    const token = await broker.issuer.sign({ ...deployer, ...claims });

    expect(gistOf(await broker.exchange(token))).toBe('400 invalid_request');
  });
});

describe('a request that no trust rule allows: invalid_target, one answer for all', () => {
  const acme = { repository_owner: 'acme', run_attempt: 1, protected: true };
  const prod = 'repo:acme/api:environment:prod';

  it.each([
    ['another audience', { ...deployer, aud: 'https://other.example' }, {}],
    ['an audience that only begins alike', { ...deployer, aud: `${deployer.aud}/` }, {}],
    ['another workload', { ...deployer, sub: 'repo:acme/deploy:ref:refs/heads/dev' }, {}],
    ['a workload whose name only begins alike', { ...deployer, sub: `${deployer.sub}-evil` }, {}],
    ['a connection of another rule', deployer, { audience: 'wfm' }],
    ['a connection that there is not', deployer, { audience: 'nobody' }],
    ['a name that every object has', deployer, { audience: 'constructor' }],
    ['a subject outside the rule', deployer, { requested_subject: '42' }],
    ['no subject at all', deployer, { requested_subject: '../system' }],
    ['what follows the end of a glob', { ...deployer, ...acme, sub: `${prod}-evil` }, { audience: 'wfm' }],
    [
      'what a star does not cross',
      { ...deployer, ...acme, sub: 'repo:acme/x/api:environment:prod' },
      { audience: 'wfm' },
    ],
    ['a line after it', { ...deployer, ...acme, sub: `${prod}\nx` }, { audience: 'wfm' }],
    ['a claim that is missing', { ...deployer, sub: prod, ...acme, protected: undefined }, { audience: 'wfm' }],
    ['a claim of another type', { ...deployer, sub: prod, ...acme, run_attempt: '1' }, { audience: 'wfm' }],
    ['a claim of another value', { ...deployer, sub: prod, ...acme, repository_owner: 'ACME' }, { audience: 'wfm' }],
  ])('%s', async (_, claims, parameters) => {
    const answer = await broker.exchange(await broker.issuer.sign(claims), parameters);

    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      error: 'invalid_target',
      error_description: 'No trust rule lets this workload have tokens of this audience and subject.',
      request_id: expect.any(String),
    });
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  });

  it('a trusted workload, for a connection whose tokens are not handed out', async () => {
    const answer = await broker.exchange(await broker.issuer.sign({ ...deployer, sub: 'alone' }), {
      audience: 'alone',
    });

    expect(answer.json).toMatchObject({ error: 'invalid_target', code: 'handout_disabled' });
  });

  it('everything, where no rule is declared', async () => {
    const trustless = await startExchangeHarness({ trust: () => [] });
    const answer = await trustless.exchange(await trustless.issuer.sign(deployer));
    await trustless.close();

    // Without a rule there is no such route, and of others nobody may ask unsigned.
    expect(answer.status).toBe(403);
    expect(trustless.issuer.requests).toEqual([]);
  });
});

describe('an outage: 503 temporarily_unavailable with Retry-After', () => {
  it('an upstream out of service', async () => {
    broker.helpmaster.setKnobs({ loginStatus: 503 });
    const answer = await broker.exchange(await broker.secondIssuer.sign({ ...deployer, sub: 'tools' }), {
      requested_subject: '1',
    });
    broker.helpmaster.setKnobs({ loginStatus: null });

    expect(gistOf(answer)).toBe('503 temporarily_unavailable');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.json).toMatchObject({ code: 'upstream_unavailable', request_id: expect.any(String) });
  });
});

describe('the route', () => {
  it('has POST alone; the gateway refuses other methods that nobody signed', async () => {
    const unsigned = await send(`${broker.url}/oauth2/token`);

    expect(unsigned.status).toBe(403);
    expect(methodsOf('/oauth2/token')).toEqual(['POST']);
  });

  it('is the only one without IAM (invariant 13)', () => {
    const open = apiRoutes.filter(({ authorization }) => authorization === 'NONE');

    expect(open.map(({ method, resource }) => `${method} ${resource}`)).toEqual(['POST /oauth2/token']);
  });
});
