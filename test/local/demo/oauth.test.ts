import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { demoOAuthSecret, demoRefreshToken, type OAuthKnobs, startDemoOAuth } from '../../../local/demo/oauth.ts';
import { oauthCall, oauthLogin, oauthToken, type Received, send } from './demo-client.ts';

let upstream: DemoUpstream<OAuthKnobs>;
beforeEach(async () => {
  upstream = await startDemoOAuth();
});
afterEach(() => upstream.close());

const refreshBy = (refresh_token: string) => oauthLogin(upstream, { grant_type: 'refresh_token', refresh_token });
const nextOf = ({ json }: Received) => String(json?.['refresh_token']);
const errorOf = ({ status, json }: Received) => `${status} ${json?.['error']}`;

function basicOf(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

describe('client credentials at the demo OAuth server', () => {
  it('are answered with a bearer token and its life (RFC 6749 §4.4.3, §5.1)', async () => {
    const received = await oauthLogin(upstream, { scope: 'orders.read', resource: 'https://orders.example/v1' });
    expect(received).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(received.json).toEqual({ access_token: oauthToken(received), token_type: 'Bearer', expires_in: 900 });
    expect((await oauthCall(upstream, oauthToken(received))).json).toMatchObject({ orders: [{ id: 'A-1001' }] });
  });

  it('may be in Basic, form-encoded first, and not as they are (§2.3.1)', async () => {
    const encode = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length);
    const { clientId, clientSecret } = demoOAuthSecret;
    const authorization = basicOf(encode(clientId), encode(clientSecret));
    expect((await oauthLogin(upstream, {}, { authorization })).status).toBe(200);
    const raw = await oauthLogin(upstream, {}, { authorization: basicOf(clientId, clientSecret) });
    expect(errorOf(raw)).toBe('401 invalid_client');
    expect(raw.headers['www-authenticate']).toBe('Basic realm="demo"');
    upstream.setKnobs({ clientAuthentication: ['client_secret_post'] });
    expect(errorOf(await oauthLogin(upstream, {}, { authorization }))).toBe('401 invalid_client');
  });

  it.each([
    ['400 invalid_scope', { scope: 'orders.read everything' }],
    ['400 invalid_target', { resource: 'https://others.example' }],
    ['400 unsupported_grant_type', { grant_type: 'password' }],
    ['401 invalid_client', { client_secret: 'another' }],
    ['401 invalid_client', { client_id: 'another' }],
  ])('are refused by %s (§5.2)', async (error, parameters) => {
    expect(errorOf(await oauthLogin(upstream, parameters))).toBe(error);
  });

  it('are refused to a client without the grant, and in a body that is no form', async () => {
    expect(errorOf(await oauthLogin(upstream, {}, { 'content-type': 'application/json' }))).toBe('400 invalid_request');
    upstream.setKnobs({ grantTypes: ['refresh_token'] });
    expect(errorOf(await oauthLogin(upstream))).toBe('400 unauthorized_client');
  });

  it.each([
    ['invalid_client', 401],
    ['temporarily_unavailable', 400],
    ['slow_down', 400],
  ] as const)('are answered with %s where a knob says so', async (error, status) => {
    upstream.setKnobs({ error, errorDescription: 'Said so.', retryAfter: '9' });
    const received = await oauthLogin(upstream);
    expect(received).toMatchObject({ status, json: { error, error_description: 'Said so.' } });
    expect(received.headers['retry-after']).toBe('9');
  });

  it.each([
    ['text', '900'],
    ['null', null],
    ['absent', undefined],
    ['unreadable', 'in a while'],
  ] as const)('say the life as %s', async (expiresIn, said) => {
    upstream.setKnobs({ expiresIn });
    expect((await oauthLogin(upstream)).json?.['expires_in']).toBe(said);
  });

  it('say the type that a knob names', async () => {
    upstream.setKnobs({ tokenType: 'DPoP' });
    expect((await oauthLogin(upstream)).json?.['token_type']).toBe('DPoP');
    upstream.setKnobs({ tokenType: 'absent' });
    expect((await oauthLogin(upstream)).json).not.toHaveProperty('token_type');
  });
});

describe('tokens of the demo OAuth server', () => {
  it('are the same again until their end, with what remains of their life, where it reissues', async () => {
    upstream.setKnobs({ reissues: true });
    const first = await oauthLogin(upstream);
    upstream.setKnobs({ clockOffsetSeconds: 600 });
    const again = await oauthLogin(upstream);
    expect(oauthToken(again)).toBe(oauthToken(first));
    expect(again.json?.['expires_in']).toBe(300);
    upstream.setKnobs({ clockOffsetSeconds: 901 });
    const next = await oauthLogin(upstream);
    expect(oauthToken(next)).not.toBe(oauthToken(first));
    expect(next.json?.['expires_in']).toBe(900);
  });

  it('end the one before where they do not overlap', async () => {
    const first = oauthToken(await oauthLogin(upstream));
    const second = oauthToken(await oauthLogin(upstream));
    expect((await oauthCall(upstream, first)).status).toBe(200);
    upstream.setKnobs({ tokensOverlap: false });
    expect((await oauthCall(upstream, first)).status).toBe(401);
    expect((await oauthCall(upstream, second)).status).toBe(200);
  });

  it('are so many in a minute, and then 429 with Retry-After', async () => {
    upstream.setKnobs({ tokensPerMinute: 2 });
    for (const _ of [1, 2]) expect((await oauthLogin(upstream)).status).toBe(200);
    const third = await oauthLogin(upstream);
    expect(errorOf(third)).toBe('429 slow_down');
    expect(third.headers['retry-after']).toBe('60');
  });

  it('are asked of /oauth2/token by POST alone', async () => {
    expect(await send(`${upstream.url}/oauth2/token`)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect((await send(upstream.url)).json?.['message']).toContain('/oauth2/token');
    expect((await oauthCall(upstream, 'nobody')).headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });
});

describe('refresh tokens of the demo OAuth server (RFC 6749 §6)', () => {
  it('stay by default, and others are refused', async () => {
    for (const _ of [1, 2]) {
      const received = await refreshBy(demoRefreshToken);
      expect((await oauthCall(upstream, oauthToken(received))).status).toBe(200);
      expect(received.json).not.toHaveProperty('refresh_token');
    }
    expect(errorOf(await refreshBy('another'))).toBe('400 invalid_grant');
  });

  it('are new with every use, and the old one is refused', async () => {
    upstream.setKnobs({ rotation: 'every-use' });
    const first = await refreshBy(demoRefreshToken);
    const second = await refreshBy(nextOf(first));
    expect(second.status).toBe(200);
    for (const used of [demoRefreshToken, nextOf(first)])
      expect(errorOf(await refreshBy(used))).toBe('400 invalid_grant');
    expect((await refreshBy(nextOf(second))).status).toBe(200);
  });

  it('end with all others where one is used again (RFC 9700 §4.14.2)', async () => {
    upstream.setKnobs({ rotation: 'reuse-ends-all' });
    const first = await refreshBy(demoRefreshToken);
    expect(errorOf(await refreshBy(demoRefreshToken))).toBe('400 invalid_grant');
    expect(errorOf(await refreshBy(nextOf(first)))).toBe('400 invalid_grant');
  });

  it('are taken again within their grace', async () => {
    upstream.setKnobs({ rotation: 'reuse-ends-all', rotationGraceSeconds: 600 });
    await refreshBy(demoRefreshToken);
    expect((await refreshBy(demoRefreshToken)).status).toBe(200);
    upstream.setKnobs({ rotationGraceSeconds: 0 });
    expect(errorOf(await refreshBy(demoRefreshToken))).toBe('400 invalid_grant');
  });
});
