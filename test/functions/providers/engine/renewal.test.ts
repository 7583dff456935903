import { describe, expect, it } from 'vitest';
import type { Provider, Renewal } from '../../../../functions/core/slot/provider.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { BEARER, body, header, IN_SECONDS, OAUTH_ANSWER } from '../../../../functions/providers/provider.ts';
import {
  answeredBy,
  answeredInTurn,
  connectionOf,
  failureIn,
  providerWith,
  secretOf,
  tokenIn,
} from '../provider-harness.ts';

const HOST = 'https://upstream.example';
const NOW = 1_800_000_000_000;
const secret = secretOf({ id: 'me', key: 'the-one-key' });
const timeoutMs = 6_000;

interface Kept {
  readonly values?: Readonly<Record<string, string>>;
  readonly closed?: Readonly<Record<string, string>>;
  readonly secret?: Secret<string>;
  readonly subject?: string;
}

function renewBy(
  provider: Provider,
  answers: Parameters<typeof answeredInTurn>[0],
  { values = {}, closed, secret: given, subject = 'system' }: Kept = {},
) {
  const { upstream, sent } = answeredInTurn(answers, { now: NOW });
  const connection = connectionOf('any', HOST, { provider, lifetimeSeconds: 900 });
  const sealed = closed === undefined ? undefined : new Secret(closed);
  const token = new Secret('current');
  const attempt = { connection, subject, token, values, closed: sealed, secret: given, timeoutMs };
  return { outcome: upstream.renew(attempt), sent };
}

function waysOf(change: Partial<Provider>, settings = {}) {
  const connection = connectionOf('any', HOST, { provider: providerWith(change), settings });
  return answeredBy({}).upstream.waysOf(connection);
}

describe('the renewal of a connection', () => {
  const refreshBy = (form: Record<string, string>): Renewal => ({
    refresh: [{ url: '/token', form, reads: OAUTH_ANSWER }],
  });
  const ping = { url: '{pingPath}', reads: { token: header('X-Next') } };

  it('is a login if the provider renews nothing', () => {
    expect(waysOf({})).toEqual({ keepsClosed: false });
  });

  it('is a slide if the path for it is set (C20)', () => {
    const change = { settings: { pingPath: { kind: 'path', optional: true } }, renewal: { slide: ping } } as const;
    expect(waysOf(change)).toEqual({ keepsClosed: false });
    const ways = { renewal: { source: 'slide', needsSecret: false }, keepsClosed: false };
    expect(waysOf(change, { pingPath: '/ping' })).toEqual(ways);
  });

  it('is a refresh, with the secret if the requests name a part of it or a value derived from it', () => {
    const refresh = { source: 'refresh', needsSecret: false };
    expect(waysOf({ renewal: refreshBy({ token: '{token}' }) })).toEqual({ renewal: refresh, keepsClosed: false });
    expect(waysOf({ renewal: refreshBy({ refresh: '{refresh}' }) })).toEqual({ renewal: refresh, keepsClosed: true });
    const withSecret = { renewal: { ...refresh, needsSecret: true }, keepsClosed: false };
    expect(waysOf({ renewal: refreshBy({ id: '{id}' }) })).toEqual(withSecret);
    const derived = { pair: { base64: '{id}:{key}' } } as const;
    expect(waysOf({ derived, renewal: refreshBy({ pair: '{pair}' }) })).toEqual(withSecret);
  });

  it('keeps values closed where an API call carries a part of the credential', () => {
    expect(waysOf({ placement: { headers: { ...BEARER, 'x-key': '{key}' } } })).toEqual({ keepsClosed: true });
    const certificate = { cert: '{id}', key: '{key}' };
    expect(waysOf({ placement: { headers: BEARER, certificate } })).toEqual({ keepsClosed: true });
  });
});

describe('a refresh within a session (RFC 6749 §6)', () => {
  const provider = providerWith({
    logins: { system: [{ url: '/login', reads: { ...OAUTH_ANSWER, refresh: body('refresh_token') } }] },
    placement: { headers: { ...BEARER, 'x-key': '{key}' } },
    lifetime: IN_SECONDS,
    attributes: { name: { member: 'name', type: 'string' } },
    renewal: {
      refresh: [
        {
          url: '/token',
          form: { grant_type: 'refresh_token', refresh_token: '{refresh}' },
          reads: { ...OAUTH_ANSWER, refresh: body('refresh_token') },
        },
      ],
    },
  });
  const closed = { refresh: 'r-1', key: 'the-one-key' };

  it('sends what the login kept, and keeps what the answer gives', async () => {
    const answer = { body: '{"access_token":"next","expires_in":600,"refresh_token":"r-2","name":"A"}' };
    const { outcome, sent } = renewBy(provider, [answer], { closed });
    const issued = tokenIn(await outcome);
    expect(sent).toMatchObject([{ url: `${HOST}/token`, body: 'grant_type=refresh_token&refresh_token=r-1' }]);
    expect(issued.value.reveal()).toBe('next');
    expect(issued.life).toEqual({ seconds: 600 });
    expect(issued.requestStartedAt).toBe(NOW);
    expect(issued.closed?.reveal()).toEqual({ refresh: 'r-2', key: 'the-one-key' });
    expect(issued.attributes).toMatchObject({ name: 'A' });
  });

  it.each(['', null, undefined])('keeps the refresh token where the answer gives %j', async (refresh_token) => {
    const answer = { body: JSON.stringify({ access_token: 'next', refresh_token }) };
    const issued = tokenIn(await renewBy(provider, [answer], { closed }).outcome);
    expect(issued.closed?.reveal()).toEqual(closed);
  });

  it('takes a part of the credential from the secret, where that has a newer one than the login', async () => {
    const byKey = {
      ...provider,
      renewal: { refresh: [{ url: '/token', form: { key: '{key}', r: '{refresh}' }, reads: OAUTH_ANSWER }] },
    };
    const newer = new Secret(JSON.stringify({ id: 'i', key: 'the-newer-key' }));
    const { outcome, sent } = renewBy(byKey, [{ body: '{"access_token":"next"}' }], { closed, secret: newer });
    const issued = tokenIn(await outcome);
    expect(sent[0]?.body).toBe('key=the-newer-key&r=r-1');
    expect(issued.closed?.reveal()).toEqual({ refresh: 'r-1', key: 'the-newer-key' });
  });

  it.each(['{}', '{"access_token":""}', '{"access_token":"a b"}'])(
    'says that it brought no token, so that a login may follow: %s',
    async (content) => {
      const failed = failureIn(await renewBy(provider, [{ body: content }], { closed }).outcome);
      expect(failed).toMatchObject({ code: 'upstream_invalid_response', unrenewed: true });
    },
  );

  it.each(['{"access_token":"next"}', '{"access_token":"next","refresh_token":null}'])(
    'keeps the refresh token of before where the answer has none: %s',
    async (content) => {
      const issued = tokenIn(await renewBy(provider, [{ body: content }], { closed }).outcome);
      expect(issued.closed?.reveal()).toEqual(closed);
    },
  );

  it.each([
    [{ status: 400, body: '{"error":"invalid_grant"}' }, 'upstream_credential_rejected', true],
    [{ status: 401 }, 'upstream_credential_rejected', true],
    [{ status: 403, body: '<html>' }, 'upstream_login_ambiguous', undefined],
    [{ status: 400, body: '{"error":"invalid_scope"}' }, 'upstream_request_rejected', undefined],
    [{ status: 429 }, 'upstream_throttled', undefined],
    [{ status: 500 }, 'upstream_login_ambiguous', undefined],
    [{ status: 503 }, 'upstream_unavailable', undefined],
    [{ body: '{}' }, 'upstream_invalid_response', undefined],
  ] as const)('that fails by %j is %s, and says so where the session has ended: %s', async (answer, code, ended) => {
    const failed = failureIn(await renewBy(provider, [answer], { closed }).outcome);
    expect(failed.code).toBe(code);
    expect(failed.ended).toBe(ended);
  });

  it('never repeats the refresh token (C12)', async () => {
    const said = (why: string) => ({
      status: 400,
      body: JSON.stringify({ error: 'invalid_scope', error_description: why }),
    });
    const quoting = failureIn(await renewBy(provider, [said('No scope for r-1')], { closed }).outcome);
    expect(quoting.detail).not.toContain('It said');
    const plain = failureIn(await renewBy(provider, [said('No scope')], { closed }).outcome);
    expect(plain.detail).toContain('It said: "No scope".');
  });

  it('with the secret derives afresh; without it what was kept stays', async () => {
    const derived = { pair: { base64: '{id}:{key}' }, time: { time: 'seconds' } } as const;
    const placement = { headers: { ...BEARER, 'x-pair': '{pair}' } };
    const answer = { body: '{"access_token":"next"}' };
    const withPair = { ...provider, derived, placement };
    const kept = { closed: { refresh: 'r-1', pair: 'of-before' } };
    const without = tokenIn(await renewBy(withPair, [answer], kept).outcome);
    expect(without.closed?.reveal()).toEqual({ refresh: 'r-1', pair: 'of-before' });
    const renewed = tokenIn(await renewBy(withPair, [answer], { ...kept, secret }).outcome);
    expect(renewed.closed?.reveal()['pair']).toBe(Buffer.from('me:the-one-key').toString('base64'));
  });

  it('with a secret that cannot be read sends nothing', async () => {
    const { outcome, sent } = renewBy(provider, [], { closed, secret: new Secret('{}') });
    expect(failureIn(await outcome)).toMatchObject({ code: 'secret_invalid', backOff: 'not_judged' });
    expect(sent).toEqual([]);
  });

  it('of a user whom its request names is about that user alone', async () => {
    const renewal = { refresh: [{ url: '/users/{subject}/token', reads: OAUTH_ANSWER }] };
    const answer = { status: 400, body: '{"error":"invalid_grant"}' };
    const failed = failureIn(await renewBy({ ...provider, renewal }, [answer], { closed, subject: '7' }).outcome);
    expect(failed).toMatchObject({ code: 'upstream_subject_rejected', backOff: 'unknown', ended: true });
  });

  it('of several requests goes on from one to the next', async () => {
    const renewal = {
      refresh: [
        { url: '/code', headers: { 'x-token': '{token}' }, reads: { code: body('code') } },
        { url: '/token', form: { code: '{code}' }, reads: OAUTH_ANSWER },
      ],
    };
    const answers = [{ body: '{"code":"c-1"}' }, { body: '{"access_token":"next"}' }];
    const { outcome, sent } = renewBy({ ...provider, renewal }, answers, { closed });
    expect(tokenIn(await outcome).value.reveal()).toBe('next');
    expect(sent).toMatchObject([{ headers: { 'x-token': 'current' } }, { body: 'code=c-1' }]);
  });
});

describe('a call that keeps the same token alive', () => {
  const slide = {
    method: 'GET',
    url: '/ping',
    headers: { 'x-key': '{token}' },
    reads: { life: body('life') },
  } as const;
  const provider = providerWith({
    logins: { system: [{ url: '/login', reads: { token: body('token'), life: body('life') } }] },
    placement: { headers: { 'x-key': '{token}', 'x-site': '{site}' } },
    lifetime: [{ value: 'life', as: 'seconds' }, { setting: 'lifetimeSeconds' }],
    refusal: { flag: 'success', message: 'why' },
    renewal: { slide },
  });

  it('moves its end, and keeps it and what came with it', async () => {
    const { outcome, sent } = renewBy(provider, [{ status: 204 }], { values: { site: 's-1' } });
    const issued = tokenIn(await outcome);
    expect(sent).toMatchObject([{ method: 'GET', url: `${HOST}/ping`, headers: { 'x-key': 'current' } }]);
    expect(issued.value.reveal()).toBe('current');
    expect(issued.life).toEqual({ seconds: 900 });
    expect(issued.requestStartedAt).toBe(NOW);
    expect(issued).not.toHaveProperty('attributes');
  });

  it('says its new end where the answer has it', async () => {
    const headers = { date: [new Date(NOW - 60_000).toUTCString()] };
    const issued = tokenIn(await renewBy(provider, [{ body: '{"life":600}', headers }]).outcome);
    expect(issued.life).toEqual({ seconds: 600, serverDate: NOW - 60_000 });
    const unread = tokenIn(await renewBy(provider, [{ body: '{"life":"soon"}' }]).outcome);
    expect(unread.life).toEqual({ seconds: 900 });
    expect(unread.tokenWarning).toContain('`life`');
  });

  it.each([401, 403, 404, 429, 500, 503, 302])('moves nothing where it is answered with %s', async (status) => {
    const failed = failureIn(await renewBy(provider, [{ status }]).outcome);
    expect(failed.ended).toBe(status === 401 ? true : undefined);
    expect(failed.backOff).not.toBe('refused');
  });

  it.each(['{"success":false,"why":"Session timed out."}', '{"success":false}'])(
    'moves nothing if a 200 reports failure: %s',
    async (content) => {
      const failed = failureIn(await renewBy(provider, [{ body: content }]).outcome);
      expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
      expect(failed.detail).toContain('keep-alive call failed');
      expect(failed.evidence).toContain('refusal');
    },
  );

  it('moves nothing if a rule of the provider reports failure, and never refuses the credential', async () => {
    const answers = [
      { at: body('status'), is: ['OK'], means: 'ok' },
      { at: body('status'), is: ['GONE'], means: 'credential' },
    ] as const;
    const ruled = { ...provider, answers };
    expect(tokenIn(await renewBy(ruled, [{ body: '{"status":"OK"}' }]).outcome).value.reveal()).toBe('current');
    for (const content of ['{"status":"GONE"}', '{"status":"?"}', '{}', '']) {
      const failed = failureIn(await renewBy(ruled, [{ body: content }]).outcome);
      expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    }
  });

  it('may carry values made for each request', async () => {
    const derived = { at: { time: 'seconds' } } as const;
    const renewal = { slide: { ...slide, headers: { 'x-key': '{token}', 'x-at': '{at}' } } };
    const { outcome, sent } = renewBy({ ...provider, derived, renewal }, [{}]);
    tokenIn(await outcome);
    expect(sent[0]?.headers['x-at']).toBe(String(NOW / 1000));
  });

  it('is named by its own path where no setting has it', async () => {
    expect(failureIn(await renewBy(provider, [{ status: 404 }]).outcome).detail).toContain('Check `/ping`');
  });
});

describe('a slide that reads a token from the body', () => {
  const renewal = { slide: { url: '/extend', reads: { token: body('token') } } };

  it('takes a new one, and not the one that it has', async () => {
    const provider = providerWith({ renewal });
    expect(tokenIn(await renewBy(provider, [{ body: '{"token":"next"}' }]).outcome).value.reveal()).toBe('next');
    const same = failureIn(await renewBy(provider, [{ body: '{"token":"current"}' }]).outcome);
    expect(same.detail).toContain('is the old one');
  });

  it('takes none that a Bearer could not carry', async () => {
    const failed = failureIn(await renewBy(providerWith({ renewal }), [{ body: '{"token":"Bearer x"}' }]).outcome);
    expect(failed.detail).toContain('no bearer token has');
  });
});
