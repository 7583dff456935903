import { describe, expect, it } from 'vitest';
import { appendPath } from '../../../../functions/core/slot/placement.ts';
import type { Provider, Setting, Step } from '../../../../functions/core/slot/provider.ts';
import type { Values } from '../../../../functions/core/slot/text.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import {
  buildRequest,
  collectJoinedTexts,
  leadsTo,
  withQuery,
} from '../../../../functions/providers/engine/request.ts';
import { body } from '../../../../functions/providers/provider.ts';
import { selfSigned } from '../../http/raw-server.ts';
import { answeredBy, connectionOf, failureIn, providerWith, secretOf } from '../provider-harness.ts';

const HOST = 'https://upstream.example';
/** Characters that a URL, a form and a JSON text encode differently, and that a double encoding would spoil. */
const ODD = 'p|w&d=+ %#é€/"\\<';
const timeoutMs = 1;

const settings = {
  tenant: { kind: 'text' },
  region: { kind: 'enum', values: ['eu', 'us'] },
  host: { kind: 'host' },
  path: { kind: 'path' },
  resource: { kind: 'list', repeated: true },
  commas: { kind: 'list', repeated: true, separator: ',' },
} as const satisfies Record<string, Setting>;

function built(step: Step, values: Values, baseUrl = HOST) {
  const connection = connectionOf('any', baseUrl, { provider: providerWith({ settings }) });
  return buildRequest(step, { baseUrl, ...values }, connection);
}

function requestOf(...given: Parameters<typeof built>) {
  const result = built(...given);
  if (result.kind !== 'request') throw new Error(`expected a request, got ${JSON.stringify(result)}`);
  return result.request;
}

const urlOf = (url: string, values: Values, baseUrl?: string) => requestOf({ url }, values, baseUrl).url;
const bodyOf = (step: Omit<Step, 'url'>, values: Values) => requestOf({ url: '/', ...step }, values).body;

describe('the URL of a request', () => {
  it('is behind the base URL and its path', () => {
    expect(urlOf('/login', {})).toBe(`${HOST}/login`);
    expect(urlOf('/login', {}, `${HOST}/api//`)).toBe(`${HOST}/api/login`);
    expect(urlOf('{baseUrl}/login', {}, `${HOST}/api/`)).toBe(`${HOST}/api/login`);
    expect(appendPath(`${HOST}/`, '/x')).toBe(`${HOST}/x`);
  });

  it('has each value as one segment, encoded once', () => {
    expect(urlOf('/{v}/x', { v: ODD })).toBe(`${HOST}/p%7Cw%26d%3D%2B%20%25%23%C3%A9%E2%82%AC%2F%22%5C%3C/x`);
    expect(urlOf('/a/{v}?q={v}', { v: 'a/../b?c' })).toBe(`${HOST}/a/a%2F..%2Fb%3Fc?q=a%2F..%2Fb%3Fc`);
    expect(urlOf('/{v}', { v: '%2e%2e' })).toBe(`${HOST}/%252e%252e`);
  });

  it.each(['.', '..'])('is refused with the value %j, which would lead elsewhere', (v) => {
    expect(built({ url: '/users/{v}/token' }, { v })).toEqual({
      kind: 'problem',
      problem: 'makes a path that leads elsewhere',
      names: ['v'],
    });
  });

  it('has settings of the kinds host and path as they are, and any other encoded', () => {
    expect(urlOf('https://{host}/{tenant}/t', { host: 'login.example:8443', tenant: 'a/b' })).toBe(
      'https://login.example:8443/a%2Fb/t',
    );
    expect(urlOf('https://{region}.example{path}', { region: 'eu', path: '/v1/token?a=b' })).toBe(
      'https://eu.example/v1/token?a=b',
    );
  });

  it('is a path setting to its last character (H4)', () => {
    expect(urlOf('{path}', { path: '/User/GetToken/' }, `${HOST}/api/`)).toBe(`${HOST}/api/User/GetToken/`);
    expect(urlOf('{path}/{v}', { path: '/users/', v: '7' })).toBe(`${HOST}/users/7`);
  });

  it('leads nowhere where an earlier answer did not say where', () => {
    expect(built({ url: '{next}', hosts: ['upstream.example'] }, {})).toMatchObject({ kind: 'misled' });
    expect(built({ url: '/users/{id}' }, {})).toMatchObject({ kind: 'misled' });
  });

  it('may come from an answer, to the hosts that are named', () => {
    const step: Step = { url: '{next}/token', hosts: ['*.pods.example'] };
    expect(requestOf(step, { next: 'https://a1.pods.example/' }).url).toBe('https://a1.pods.example/token');
    expect(built(step, { next: 'https://evil.example' })).toMatchObject({ kind: 'misled' });
    expect(built({ url: '{next}' }, { next: 'https://a1.pods.example' })).toMatchObject({ kind: 'misled' });
  });

  it('of an answer is no path of the base URL, unless that host is named', () => {
    expect(built({ url: '{next}', hosts: ['pods.example'] }, { next: '/admin' })).toMatchObject({ kind: 'misled' });
    expect(built({ url: '{next}', hosts: ['pods.example'] }, { next: '//evil.example/x' })).toMatchObject({
      kind: 'misled',
    });
    expect(requestOf({ url: '{next}', hosts: ['upstream.example'] }, { next: '/on' }).url).toBe(`${HOST}/on`);
  });
});

describe('a host that an answer names', () => {
  const connection = connectionOf('any', HOST, { provider: providerWith() });
  const hosts = ['api.example', '*.pods.example'];

  it.each([
    'https://api.example',
    'https://API.example/v1?x=y',
    'https://api.example:443/',
    'https://a.pods.example',
    'https://a.b.pods.example/x',
  ])('is one of those named: %s', (url) => {
    expect(leadsTo(url, hosts, connection)).toBe(true);
  });

  it.each([
    ['another', 'https://evil.example'],
    ['one that ends alike', 'https://evilapi.example'],
    ['one that begins alike', 'https://api.example.evil.example'],
    ['the end of a pattern alone', 'https://pods.example'],
    ['one that ends like a pattern', 'https://evilpods.example'],
    ['one behind user information', 'https://api.example@evil.example'],
    ['one with user information', 'https://me@api.example'],
    ['one with a password', 'https://me:x@api.example'],
    ['one without TLS', 'http://api.example'],
    ['one of another scheme', 'ftp://api.example'],
    ['another port', 'https://api.example:8443'],
    ['another port of a pattern', 'https://a.pods.example:22'],
    ['a name with a dot at its end', 'https://api.example.'],
    ['an address', 'https://169.254.169.254/latest/meta-data'],
    ['no URL', 'api.example'],
    ['a path', '/api.example'],
    ['nothing', ''],
  ])('is not %s: %s', (_, url) => {
    expect(leadsTo(url, hosts, connection)).toBe(false);
    expect(leadsTo(url, undefined, connection)).toBe(false);
  });

  it('may have no TLS, or the port, where the base URL has it so', () => {
    const local = connectionOf('any', 'http://api.example:8080', { provider: providerWith() });
    expect(leadsTo('http://api.example:8080/x', hosts, local)).toBe(true);
    expect(leadsTo('http://api.example:8081/x', hosts, local)).toBe(false);
    expect(leadsTo('https://api.example', hosts, local)).toBe(true);
  });
});

describe('the query of a request', () => {
  it('has every parameter encoded, and none that names an absent value', () => {
    const query = { i: '{id}', 'k y': '{key}&', scope: '{scope}' };
    const request = requestOf({ method: 'GET', url: '/login', query }, { id: ODD, key: '2' });
    expect(request.url).toBe(`${HOST}/login?i=p%7Cw%26d%3D%2B%20%25%23%C3%A9%E2%82%AC%2F%22%5C%3C&k%20y=2%26`);
    expect(request).not.toHaveProperty('body');
  });

  it('is added to one that the URL has', () => {
    expect(requestOf({ url: '/login?a=b', query: { c: 'd' } }, {}).url).toBe(`${HOST}/login?a=b&c=d`);
    expect(withQuery('/x', [])).toBe('/x');
  });
});

describe('the headers of a request', () => {
  it.each([
    [undefined, 'application/json'],
    ['json', 'application/json'],
    ['xml', 'application/xml'],
    ['text', '*/*'],
  ] as const)('ask for %s', (answer, accept) => {
    expect(requestOf({ url: '/', ...(answer && { answer }) }, {}).headers).toEqual({ accept });
  });

  it('are those that the provider names in place of the engine’s own, in lower case', () => {
    const headers = { Accept: 'text/plain', 'X-Key': 'Key {key}', 'X-Scope': '{scope}', 'Content-Type': 'text/json' };
    expect(requestOf({ url: '/', headers, json: {} }, { key: '2' }).headers).toEqual({
      accept: 'text/plain',
      'x-key': 'Key 2',
      'content-type': 'text/json',
    });
  });

  it.each(['k€y', 'a\r\nb', ' a', ''])('never carry %j: the value that cannot be sent is named', (key) => {
    expect(built({ url: '/', headers: { 'X-Key': '{key}' } }, { key })).toEqual({
      kind: 'problem',
      problem: 'has characters that no header may carry',
      names: ['key'],
    });
  });
});

describe('a client by Basic', () => {
  const basic = { user: '{id}', password: '{key}' };
  const decoded = (step: Omit<Step, 'url'>, values: Values) => {
    const { authorization } = requestOf({ url: '/', ...step }, values).headers;
    return Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64').toString('utf8');
  };

  it('is written as it is (RFC 7617)', () => {
    expect(decoded({ basic }, { id: 'i d', key: 's€cret:%+' })).toBe('i d:s€cret:%+');
    expect(requestOf({ url: '/', basic }, { id: 'Aladdin', key: 'open sesame' }).headers['authorization']).toBe(
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    );
  });

  it('is encoded as a form first where the client is one of OAuth (RFC 6749 §2.3.1)', () => {
    const step = { basic: { ...basic, formEncoded: true } } as const;
    expect(decoded(step, { id: 'i d', key: 's€cret:%+/~*' })).toBe('i+d:s%E2%82%ACcret%3A%25%2B%2F%7E*');
    expect(decoded(step, { id: 'abc-1', key: 'A.b_2' })).toBe('abc-1:A.b_2');
  });

  it('is left out where a part of it is absent', () => {
    expect(requestOf({ url: '/', basic }, { id: 'a' }).headers).not.toHaveProperty('authorization');
  });
});

describe('the body of a request', () => {
  it('is JSON, with nested members, numbers, and none that names an absent value', () => {
    const json = { a: { b: '{v}' }, n: { number: '{n}' }, scope: '{scope}', list: ['{v}', 1], yes: true };
    expect(bodyOf({ json }, { v: ODD, n: '88' })).toBe(
      JSON.stringify({ a: { b: ODD }, n: 88, list: [ODD, 1], yes: true }),
    );
  });

  it('is a form, each value encoded once', () => {
    const form = { grant_type: 'password', p: '{v}', scope: '{scope}' };
    expect(bodyOf({ form }, { v: ODD })).toBe(
      'grant_type=password&p=p%7Cw%26d%3D%2B+%25%23%C3%A9%E2%82%AC%2F%22%5C%3C',
    );
  });

  it('is XML, each value escaped', () => {
    const xml = '<a b="{v}">{v}</a>';
    expect(bodyOf({ xml }, { v: `<&>"'` })).toBe('<a b="&#60;&#38;&#62;&#34;&#39;">&#60;&#38;&#62;&#34;&#39;</a>');
    expect(bodyOf({ xml: '<a>{v}</a>' }, { v: ']]>é' })).toBe('<a>]]&#62;é</a>');
  });

  it.each([
    [{ json: {} }, 'application/json'],
    [{ form: {} }, 'application/x-www-form-urlencoded'],
    [{ xml: '<a/>' }, 'application/xml'],
  ] as const)('says what it is: %j', (step, type) => {
    expect(requestOf({ url: '/', ...step }, {}).headers['content-type']).toBe(type);
  });

  it('travels as a setting says (C3)', () => {
    const step = (as: string): Step => ({ url: '/', parameters: { as, of: { l: '{v}', scope: '{scope}' } } });
    expect(requestOf(step('{how}'), { v: 'a&b', how: 'form' }).body).toBe('l=a%26b');
    expect(requestOf(step('{how}'), { v: 'a&b', how: 'json' }).body).toBe('{"l":"a&b"}');
    const byQuery = requestOf(step('query'), { v: 'a&b' });
    expect(byQuery.url).toBe(`${HOST}/?l=a%26b`);
    expect(byQuery).not.toHaveProperty('body');
    expect(byQuery.headers).not.toHaveProperty('content-type');
  });

  it('names each member of a repeated list by itself, where the list is the whole text (RFC 8707 §2)', () => {
    const step = (as: string): Step => ({ url: '/', parameters: { as, of: { r: '{resource}', t: 'x {resource}' } } });
    const values = { resource: 'urn:a urn:b' };
    expect(requestOf(step('form'), values).body).toBe('r=urn%3Aa&r=urn%3Ab&t=x+urn%3Aa+urn%3Ab');
    expect(requestOf(step('query'), values).url).toBe(`${HOST}/?r=urn%3Aa&r=urn%3Ab&t=x%20urn%3Aa%20urn%3Ab`);
    expect(requestOf(step('json'), values).body).toBe('{"r":["urn:a","urn:b"],"t":"x urn:a urn:b"}');
    expect(requestOf(step('json'), { resource: 'urn:a' }).body).toBe('{"r":"urn:a","t":"x urn:a"}');
    expect(requestOf({ url: '/', query: { r: '{resource}', c: '{commas}' } }, { ...values, commas: 'a,b' }).url).toBe(
      `${HOST}/?r=urn%3Aa&r=urn%3Ab&c=a&c=b`,
    );
    expect(requestOf(step('form'), {}).body).toBe('');
  });

  it('is none where the provider has none', () => {
    const request = requestOf({ url: '/' }, {});
    expect(request).toEqual({ method: 'POST', url: `${HOST}/`, headers: { accept: 'application/json' } });
  });
});

describe('the connection of a request', () => {
  const { cert, key } = selfSigned('client.example');
  const step: Step = { url: '/', certificate: { cert: '{certificate}', key: '{privateKey}' } };

  it('has the client certificate of the credential (RFC 8705)', () => {
    expect(requestOf(step, { certificate: cert, privateKey: key }).certificate).toEqual({ cert, key });
    expect(requestOf({ url: '/' }, { certificate: cert, privateKey: key })).not.toHaveProperty('certificate');
  });

  it('is never made with a certificate that is not of the key', async () => {
    const other = selfSigned('other.example');
    const { upstream, sent } = answeredBy({});
    const secretFields = { certificate: {}, privateKey: {} };
    const provider = providerWith({ secretFields, logins: { system: [{ ...step, reads: { token: body('token') } }] } });
    const connection = connectionOf('any', HOST, { provider });
    const secret = secretOf({ certificate: other.cert, privateKey: key });
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs }));
    expect(failed).toMatchObject({ code: 'secret_invalid', detail: expect.stringContaining('`certificate`') });
    expect(sent).toEqual([]);
  });

  it("trusts the connection's own certificate authority, and so does a slide", async () => {
    const { upstream, sent } = answeredBy({});
    const keepAlive = { settings: { keepAlivePath: '/ping' }, caCertificate: 'a PEM' };
    const connection = connectionOf('community-web-api', HOST, keepAlive);
    const attempt = { connection, subject: 'system', secret: secretOf({ username: 'u', password: 'p' }), timeoutMs };
    await upstream.login(attempt);
    await upstream.renew({ ...attempt, token: new Secret('t'), values: {}, closed: undefined, secret: undefined });
    expect(sent).toMatchObject([{ caCertificate: 'a PEM' }, { caCertificate: 'a PEM' }]);

    const plain = answeredBy({});
    await plain.upstream.login({ ...attempt, connection: connectionOf('community-web-api', HOST) });
    expect(plain.sent[0]).not.toHaveProperty('caCertificate');
  });
});

describe("an upstream's message about a login", () => {
  const refusal = { flag: 'ok', message: 'why' };
  const byForm: Step = { url: '/', form: { grant_type: 'client_credentials', pair: '{id}:{key}' } };

  async function refusalSaying(step: Step, why: string, change: Partial<Provider> = {}) {
    const logins = { system: [{ ...step, reads: { token: body('token') } }] };
    const connection = connectionOf('any', HOST, { provider: providerWith({ logins, refusal, ...change }) });
    const { upstream } = answeredBy({ body: JSON.stringify({ ok: false, why }) });
    const secret = secretOf({ id: '1', key: '2' });
    return failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs })).detail;
  }

  it.each<[string, Step]>([
    ['the pair of a Basic login', { url: '/', basic: { user: '{id}', password: '{key}' } }],
    ['a pair that a form joins', byForm],
    ['a pair that a header joins', { url: '/', headers: { 'x-pair': 'Pair {id}:{key}' } }],
    ['a pair deep in JSON', { url: '/', json: { a: [{ b: '{id}:{key}' }] } }],
    ['a pair among parameters', { url: '/', parameters: { as: 'json', of: { l: '{id}:{key}' } } }],
  ])('is left out where it quotes %s in base64, however short its halves (C12)', async (_, step) => {
    const [joined = ''] = collectJoinedTexts(step, { id: '1', key: '2' });
    const quoted = Buffer.from(joined).toString('base64');
    expect(await refusalSaying(step, `No such login: ${quoted}`)).not.toContain('It said');
    expect(await refusalSaying(step, 'No such login')).toContain('It said: "No such login".');
  });

  it('is left out where it quotes what is derived from the credential', async () => {
    const derived = { print: { digest: 'sha1', of: '{key}', as: 'hex' } } as const;
    const step: Step = { url: '/', form: { print: '{print}' } };
    const said = 'Unknown print DA4B9237BACCCDF19C0760CAB7AEC4A8';
    expect(await refusalSaying(step, said, { derived })).not.toContain('It said');
  });

  it('is passed on where it quotes only what every login says', async () => {
    const said = 'The client_credentials grant is off';
    expect(await refusalSaying(byForm, said)).toContain(said);
  });
});
