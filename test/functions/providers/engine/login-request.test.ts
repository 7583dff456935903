import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { body, type CredentialPart, type Login, type Provider } from '../../../../functions/providers/provider.ts';
import { answeredBy, connectionOf, failureIn, secretOf } from '../provider-harness.ts';

const HOST = 'https://upstream.example';
const timeoutMs = 1;

function providerSending(credential: readonly CredentialPart[], login: Partial<Login> = {}): Provider {
  return {
    secretFields: { id: {}, key: {} },
    settings: {},
    defaults: { refreshAfter: 0.5 },
    logins: { system: { method: 'POST', path: '/login', credential, ...login } },
    tokenAt: body('token'),
    refusal: { flag: 'ok', message: 'why' },
    placement: { header: 'Authorization', scheme: 'Bearer' },
    lifetime: { from: 'none' },
  };
}

async function loginWith(provider: Provider, secret: unknown = { id: '1', key: '2' }, answer = {}) {
  const { upstream, sent } = answeredBy(answer, undefined, provider);
  const connection = connectionOf('any', HOST, { provider });
  const attempt = upstream.login({ connection, subject: 'system', secret: secretOf(secret), timeoutMs });
  return { attempt, sent };
}

async function sentBy(provider: Provider) {
  const { attempt, sent } = await loginWith(provider);
  await attempt;
  return sent[0];
}

async function refusalSaying(provider: Provider, why: string) {
  const { attempt } = await loginWith(provider, undefined, { body: JSON.stringify({ ok: false, why }) });
  return failureIn(await attempt).detail;
}

const byQuery: CredentialPart = { as: 'query', fields: { i: '{id}', 'k y': '{key}&' } };
const byForm: CredentialPart = { as: 'form', fields: { grant_type: 'client_credentials', pair: '{id}:{key}' } };
const byBasic: CredentialPart = { as: 'basic', user: '{id}', password: '{key}' };

describe('a login request', () => {
  it('asks for JSON, as a slide does', async () => {
    expect((await sentBy(providerSending([byQuery])))?.headers).toEqual({ accept: 'application/json' });

    const { upstream, sent } = answeredBy({});
    const settings = { keepAlivePath: '/ping' };
    const connection = connectionOf('community-web-api', `${HOST}//`, { settings });
    await upstream.slide({ connection, subject: 'system', token: new Secret('t'), timeoutMs });
    expect(sent).toEqual([
      { method: 'GET', url: `${HOST}/ping`, headers: { accept: 'application/json', WFMSGAPIKEY: 't' }, timeoutMs },
    ]);
  });

  it('by query has every field in the URL, encoded, and no body', async () => {
    const request = await sentBy(providerSending([byQuery]));
    expect(request?.url).toBe(`${HOST}/login?i=1&k%20y=2%26`);
    expect(request).not.toHaveProperty('body');
  });

  it('has the headers that the provider names in place of its own', async () => {
    const request = await sentBy(
      providerSending([{ as: 'header', fields: { Accept: 'text/plain', 'X-Key': '{key}' } }]),
    );
    expect(request?.headers).toEqual({ accept: 'text/plain', 'x-key': '2' });
  });

  it("trusts the connection's own certificate authority, and so does a slide", async () => {
    const { upstream, sent } = answeredBy({});
    const settings = { keepAlivePath: '/ping' };
    const connection = connectionOf('community-web-api', HOST, { settings, caCertificate: 'a PEM' });
    const secret = secretOf({ username: 'u', password: 'p' });
    await upstream.login({ connection, subject: 'system', secret, timeoutMs });
    await upstream.slide({ connection, subject: 'system', token: new Secret('t'), timeoutMs });
    expect(sent).toMatchObject([{ caCertificate: 'a PEM' }, { caCertificate: 'a PEM' }]);

    const plain = answeredBy({});
    await plain.upstream.login({
      connection: connectionOf('community-web-api', HOST),
      subject: 'system',
      secret,
      timeoutMs,
    });
    expect(plain.sent[0]).not.toHaveProperty('caCertificate');
  });

  it('that a header cannot carry is not sent, and the operator reads why', async () => {
    const provider = providerSending([{ as: 'header', fields: { 'X-Key': '{key}' } }]);
    const { attempt, sent } = await loginWith(provider, { id: '1', key: 'k€y' });
    expect(failureIn(await attempt)).toMatchObject({
      code: 'secret_invalid',
      detail: expect.stringContaining('characters that no header may carry'),
    });
    expect(sent).toEqual([]);
  });

  it.each<[string, Provider, string]>([
    ['a field that the secret does not have', providerSending([{ as: 'form', fields: { l: '{nobody}' } }]), '`nobody`'],
    ['a member of any object', providerSending([{ as: 'form', fields: { l: '{toString}' } }]), '`toString`'],
    ['a path that is not set', providerSending([byForm], { path: { setting: 'loginPath' } }), '`loginPath`'],
    [
      'a setting that is no encoding',
      providerSending([{ as: { setting: 'how' }, fields: { l: '{key}' } }], { path: '/login' }),
      'no known way',
    ],
  ])('is never made of %s', async (_, provider, words) => {
    const { upstream, sent } = answeredBy({}, undefined, provider);
    const connection = connectionOf('any', HOST, { provider, settings: { how: 'by pigeon' } });
    const secret = secretOf({ id: '1', key: '2' });
    await expect(upstream.login({ connection, subject: 'system', secret, timeoutMs })).rejects.toThrow(words);
    expect(sent).toEqual([]);
  });
});

describe("an upstream's message about a login", () => {
  it.each([
    ['the pair of a Basic login', byBasic, Buffer.from('1:2').toString('base64')],
    ['a pair that a template joins', byForm, Buffer.from('1:2').toString('base64')],
  ])('is left out where it quotes %s in base64, however short its halves (C12)', async (_, part, quoted) => {
    expect(await refusalSaying(providerSending([part]), `No such login: ${quoted}`)).not.toContain('It said');
    expect(await refusalSaying(providerSending([part]), 'No such login')).toContain('It said: "No such login".');
  });

  it('is passed on where it quotes only what every login says', async () => {
    const said = 'The client_credentials grant is off';
    expect(await refusalSaying(providerSending([byForm]), said)).toContain(said);
  });
});
