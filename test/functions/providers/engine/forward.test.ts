import { describe, expect, it } from 'vitest';
import type { ForwardedRequest } from '../../../../functions/core/proxy/forwarder.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { createForwarder } from '../../../../functions/providers/engine/forward.ts';
import { BEARER, body, header } from '../../../../functions/providers/provider.ts';
import { type Answer, answering, connectionOf, providerWith } from '../provider-harness.ts';

const NOW = 1_800_000_000_000;
const timeoutMs = 1_000;
const get: ForwardedRequest = { method: 'GET', path: '/jobs', query: '', headers: {} };

interface Kept {
  readonly values?: Readonly<Record<string, string>>;
  readonly closed?: Readonly<Record<string, string>>;
  readonly subject?: string;
}

async function forwarding(
  answer: Parameters<typeof answering>[0],
  request = get,
  connection = community(),
  { values = {}, closed, subject = 'system' }: Kept = {},
) {
  const { http, sent } = answering(answer);
  const forwarder = createForwarder({ http, clock: { now: () => NOW } });
  const sealed = closed === undefined ? undefined : new Secret(closed);
  const token = new Secret('used');
  const outcome = await forwarder.forward({ connection, subject, token, values, closed: sealed, request, timeoutMs });
  return { outcome, request: sent[0] };
}

async function answerTo(answer: Answer) {
  const { outcome } = await forwarding(answer);
  if (outcome.kind !== 'answer') throw new Error(`expected an answer, got ${outcome.code}`);
  return outcome;
}

function community(change: Parameters<typeof connectionOf>[2] = {}) {
  return connectionOf('community-web-api', 'https://wfm.example/api//', change);
}

describe('a forwarded request', () => {
  it('goes behind the base URL, with its query as the caller wrote it', async () => {
    const plain = await forwarding({});
    expect(plain.request?.url).toBe('https://wfm.example/api/jobs');
    const asked = await forwarding({}, { ...get, query: 'a=%2f&b' });
    expect(asked.request?.url).toBe('https://wfm.example/api/jobs?a=%2f&b');
  });

  it('has a body only where the caller sent one', async () => {
    expect((await forwarding({})).request).not.toHaveProperty('body');
    const body = Buffer.from([0, 255]);
    const { request } = await forwarding({}, { ...get, method: 'POST', body });
    expect(request).toMatchObject({ method: 'POST', body });
  });

  it('carries the token of the slot, whatever the caller put into its header (C14)', async () => {
    const { request } = await forwarding({}, { ...get, headers: { WFMSGAPIKEY: 'own', 'x-other': '1' } });
    expect(request?.headers).toEqual({ WFMSGAPIKEY: 'used', 'x-other': '1' });
  });

  it('carries it with its scheme where the upstream has one (H6)', async () => {
    const { request } = await forwarding({}, get, connectionOf('helpmaster', 'https://helpmaster.example'));
    expect(request?.headers).toEqual({ Authorization: 'Bearer used' });
  });

  it("trusts the connection's own certificate authority where it names one", async () => {
    expect((await forwarding({})).request).not.toHaveProperty('caCertificate');
    const { request } = await forwarding({}, get, community({ caCertificate: 'a PEM' }));
    expect(request?.caCertificate).toBe('a PEM');
  });

  it('is answered although the upstream gives the same token again, in the header that stays here (C16)', async () => {
    const same = 'the-token-that-was-used';
    const { http } = answering({ headers: { wfmsgapikey: [same] } });
    const outcome = await createForwarder({ http, clock: { now: () => NOW } }).forward({
      ...{ connection: community(), subject: 'system', token: new Secret(same), values: {}, closed: undefined },
      ...{ request: get, timeoutMs },
    });
    expect(outcome).toMatchObject({ kind: 'answer', answer: { headers: {} } });
    expect(outcome).not.toHaveProperty('slid');
  });

  it('tells the caller that an answer over 4.5 MB is too large, and nothing else of the kind', async () => {
    const large = await forwarding({ kind: 'failure', reason: 'too_large', sent: true });
    expect(large.outcome).toMatchObject({ code: 'upstream_response_too_large', backOff: 'unknown' });
    expect(large.outcome).toMatchObject({ detail: expect.stringContaining('4.5 MB') });
    const late = await forwarding({ kind: 'failure', reason: 'timeout', sent: true });
    expect(late.outcome).toMatchObject({ code: 'upstream_timeout' });
  });
});

describe('the other values in a forwarded request', () => {
  const provider = providerWith({
    secretFields: { user: {}, devKey: {} },
    settings: { tenant: { kind: 'text', optional: true } },
    logins: { system: [{ url: '/login', reads: { token: body('token'), instance: body('instance_url') } }] },
    placement: {
      headers: { authorization: 'Bearer {token}', 'x-dev-key': '{devKey}', 'x-tenant': '{tenant}' },
      query: { session: '{token}', site: '{instance}' },
    },
  });
  const connection = connectionOf('any', 'https://api.example/v1', { provider, settings: { tenant: 't&1' } });

  it('are the headers and parameters that the provider places from settings, answers and the credential', async () => {
    const kept = { values: { instance: 'a/b' }, closed: { devKey: 'k-1' } };
    const { request } = await forwarding({}, { ...get, query: 'a=%2f' }, connection, kept);
    expect(request?.url).toBe('https://api.example/v1/jobs?a=%2f&session=used&site=a%2Fb');
    expect(request?.headers).toEqual({ authorization: 'Bearer used', 'x-dev-key': 'k-1', 'x-tenant': 't&1' });
  });

  it('leave out an absent one', async () => {
    const other = connectionOf('any', 'https://api.example/v1', { provider });
    const { request } = await forwarding({}, get, other);
    expect(request?.url).toBe('https://api.example/v1/jobs?session=used');
    expect(request?.headers).toEqual({ authorization: 'Bearer used' });
  });

  it('include the user whom the call is for, and nobody for the system', async () => {
    const provider = providerWith({
      placement: { headers: { ...BEARER, 'x-user': '{subject}' }, baseUrl: '/of/{subject}' },
    });
    const at = connectionOf('any', 'https://api.example', { provider });
    const { request } = await forwarding({}, get, at, { subject: '88' });
    expect(request).toMatchObject({ url: 'https://api.example/of/88/jobs', headers: { 'x-user': '88' } });
    const bySystem = await forwarding({}, get, at);
    expect(bySystem.request?.url).toBe('https://api.example/jobs');
    expect(bySystem.request?.headers).toEqual({ Authorization: 'Bearer used' });
  });

  it('never come back in an answer', async () => {
    const headers = {
      'x-dev-key': ['k-1'],
      'x-tenant': ['t'],
      authorization: ['a'],
      'set-cookie': ['a=b'],
      etag: ['1'],
    };
    const { outcome } = await forwarding({ headers }, get, connection);
    expect(outcome).toMatchObject({ kind: 'answer', answer: { headers: { etag: ['1'] } } });
    if (outcome.kind === 'answer') expect(Object.keys(outcome.answer.headers)).toEqual(['etag']);
  });

  it('include the client certificate if the API asks for one', async () => {
    const certificate = { cert: '{certificate}', key: '{privateKey}' };
    const mutual = providerWith({ placement: { headers: { authorization: 'Bearer {token}' }, certificate } });
    const closed = { certificate: 'a PEM', privateKey: 'another PEM' };
    const at = connectionOf('any', 'https://api.example', { provider: mutual });
    const { request } = await forwarding({}, get, at, { closed });
    expect(request?.certificate).toEqual({ cert: 'a PEM', key: 'another PEM' });
    expect((await forwarding({}, get, connection)).request).not.toHaveProperty('certificate');
  });
});

describe('the address of an API that a login named', () => {
  const provider = providerWith({
    placement: { headers: { authorization: 'Bearer {token}' }, baseUrl: '{instance}', hosts: ['*.pods.example'] },
  });
  const connection = connectionOf('any', 'https://login.pods.example', { provider });

  it('is called, behind its own path', async () => {
    const values = { instance: 'https://a1.pods.example/rest/' };
    const { request } = await forwarding({}, { ...get, query: 'a=b' }, connection, { values });
    expect(request?.url).toBe('https://a1.pods.example/rest/jobs?a=b');
  });

  it.each([
    'https://evil.example',
    'http://a1.pods.example',
    'https://a1.pods.example@evil.example',
    'https://a1.pods.example:8443',
    'https://169.254.169.254',
    'a1.pods.example',
    'https://a1.pods.example/rest/..',
    'https://a1.pods.example/rest/%2E%2e/v1',
    'https://a1.pods.example\\..\\v1',
    '',
  ])('is never called where the provider does not name it: %j', async (instance) => {
    const { outcome, request } = await forwarding({}, get, connection, { values: { instance } });
    expect(outcome).toMatchObject({ kind: 'failure', code: 'upstream_invalid_response' });
    expect(JSON.stringify(outcome)).not.toContain('evil');
    expect(request).toBeUndefined();
  });

  it.each(['..', '.'])('is never called where a value makes a dot segment: %j', async (account) => {
    const byAnswer = providerWith({ placement: { headers: BEARER, baseUrl: 'https://api.example/of/{account}' } });
    const at = connectionOf('any', 'https://login.example', { provider: byAnswer });
    const { outcome, request } = await forwarding({}, get, at, { values: { account } });
    expect(outcome).toMatchObject({ kind: 'failure', code: 'upstream_invalid_response' });
    expect(request).toBeUndefined();
    const dotted = await forwarding({}, get, at, { values: { account: '..a' } });
    expect(dotted.request?.url).toBe('https://api.example/of/..a/jobs');
  });

  it('is the connection’s own where the login named none', async () => {
    expect((await forwarding({}, get, connection)).request?.url).toBe('https://login.pods.example/jobs');
  });

  it('may be one that a setting names', async () => {
    const settings = { region: { kind: 'host' } } as const;
    const bySetting = providerWith({ settings, placement: { headers: BEARER, baseUrl: 'https://{region}/v1' } });
    const at = connectionOf('any', 'https://login.example', {
      provider: bySetting,
      settings: { region: 'eu.example' },
    });
    expect((await forwarding({}, get, at)).request?.url).toBe('https://eu.example/v1/jobs');
  });

  it('stands behind the connection’s own where it is a path', async () => {
    const provider = providerWith({ placement: { headers: BEARER, baseUrl: '/rest/v2' } });
    const at = connectionOf('any', 'https://api.example/eu/', { provider });
    expect((await forwarding({}, get, at)).request?.url).toBe('https://api.example/eu/rest/v2/jobs');
  });

  it('takes no setting or answer for more than one segment, hosts and paths aside', async () => {
    const settings = { region: { kind: 'host' }, tenant: { kind: 'text' } } as const;
    const baseUrl = 'https://{region}/{tenant}/{account}';
    const at = connectionOf('any', 'https://login.example', {
      provider: providerWith({ settings, placement: { headers: BEARER, baseUrl } }),
      settings: { region: 'eu.example', tenant: 'a/b?c' },
    });
    const { request } = await forwarding({}, get, at, { values: { account: '4#2' } });
    expect(request?.url).toBe('https://eu.example/a%2Fb%3Fc/4%232/jobs');
  });
});

describe('a forwarded answer', () => {
  it('comes as it is, without the header of the token and of one hop', async () => {
    const headers = { wfmsgapikey: ['x'], connection: ['close'], etag: ['"1"', '"2"'] };
    const { answer } = await answerTo({ status: 207, headers, body: 'body' });
    expect(answer).toEqual({ status: 207, headers: { etag: ['"1"', '"2"'] }, body: Buffer.from('body') });
  });
});

describe('an answer that repeats what the call carried', () => {
  const provider = providerWith({
    derived: { pair: { base64: '{token}:x' }, site: { text: 'a-site-of-some-length' } },
    placement: { headers: { authorization: 'Basic {pair}', 'x-site': '{site}' } },
  });
  const at = connectionOf('any', 'https://api.example', { provider });
  const values = { pair: 'dXNlZC1hbmQtc2VjcmV0Ong=', site: 'a-site-of-some-length' };

  it.each<[string, Answer]>([
    ['its body', { body: `{"you":"Basic ${values.pair}"}` }],
    ['a header', { headers: { 'x-echo': [`Basic ${values.pair}`] } }],
  ])('is withheld where a value in %s is made of the token', async (_, answer) => {
    const { outcome } = await forwarding(answer, get, at, { values });
    expect(outcome).toMatchObject({ kind: 'failure', code: 'upstream_invalid_response' });
    expect(JSON.stringify(outcome)).not.toContain(values.pair);
  });

  it('comes where the value says nothing of the token', async () => {
    const { outcome } = await forwarding({ body: values.site }, get, at, { values });
    expect(outcome).toMatchObject({ kind: 'answer', answer: { status: 200 } });
  });
});

describe('a token in a forwarded answer', () => {
  const renewed = { wfmsgapikey: ['next'] };

  it('is taken up with the life of one that was just issued (C15, C17)', async () => {
    const { slid, requestStartedAt } = await answerTo({ headers: renewed });
    expect(slid?.value.reveal()).toBe('next');
    expect(slid?.life).toStrictEqual({ seconds: 1200 });
    expect(requestStartedAt).toBe(NOW);
  });

  it("is taken up with the upstream's own clock where the answer has it (H14)", async () => {
    const { slid } = await answerTo({ headers: { ...renewed, date: [new Date(NOW + 600_000).toUTCString()] } });
    expect(slid?.life).toStrictEqual({ seconds: 1200, serverDate: NOW + 600_000 });
  });

  it('is taken up from a failed call too, since the session was renewed (C15)', async () => {
    expect((await answerTo({ status: 404, headers: renewed })).slid?.value.reveal()).toBe('next');
  });

  it.each<[string, Answer]>([
    ['beside a 401', { status: 401, headers: renewed }],
    ['that is the one used', { headers: { wfmsgapikey: ['used'] } }],
    ['that is empty', { headers: { wfmsgapikey: [''] } }],
    ['that is not there', {}],
    ['that comes with conflicting values', { headers: { wfmsgapikey: ['next', 'other'] } }],
  ])('%s renews nothing, and the caller still gets the answer (C16)', async (_, answer) => {
    const outcome = await answerTo({ ...answer, body: 'said' });
    expect(outcome).not.toHaveProperty('slid');
    expect(outcome.answer.body.toString()).toBe('said');
  });

  it('renews nothing where one call alone slides, or the token is in the body', async () => {
    const slide = { url: '/ping', reads: { token: header('WFMSGAPIKEY') } };
    const byOneCall = providerWith({ renewal: { slide } });
    const inBody = providerWith({
      renewal: { slide: { url: '/', reads: { token: body('token') } }, everyAnswer: true },
    });
    for (const provider of [byOneCall, inBody]) {
      const connection = connectionOf('any', 'https://api.example', { provider });
      const { outcome } = await forwarding({ headers: renewed, body: '{"token":"next"}' }, get, connection);
      expect(outcome).not.toHaveProperty('slid');
    }
  });

  it.each(['Bearer next', '"next"', 'x'.repeat(16_385)])(
    'that no call could carry renews nothing: %s',
    async (next) => {
      const slide = { url: '/ping', reads: { token: header('X-Next') } };
      const provider = providerWith({ renewal: { slide, everyAnswer: true } });
      const connection = connectionOf('any', 'https://api.example', { provider });
      const taken = await forwarding({ headers: { 'x-next': ['next'] } }, get, connection);
      expect(taken.outcome).toHaveProperty('slid');
      const { outcome } = await forwarding({ headers: { 'x-next': [next] } }, get, connection);
      expect(outcome).not.toHaveProperty('slid');
    },
  );

  it('stays here in a header of its own, and ends when the answer says', async () => {
    const reads = { token: header('X-Next'), life: header('X-Next-Seconds') };
    const renewal = { slide: { url: '/ping', reads }, everyAnswer: true } as const;
    const provider = providerWith({ renewal, lifetime: [{ value: 'life', as: 'seconds' }] });
    const headers = { 'x-next': ['next'], 'x-next-seconds': ['900'] };
    const { outcome } = await forwarding({ headers }, get, connectionOf('any', 'https://api.example', { provider }));
    expect(outcome).toMatchObject({ slid: { life: { seconds: 900 } } });
    expect(outcome).toHaveProperty('answer.headers', { 'x-next-seconds': ['900'] });
  });

  it('renews nothing where the provider has no slide', async () => {
    const connection = connectionOf('helpmaster', 'https://help.example');
    const { outcome } = await forwarding({ headers: { authorization: ['next'], ...renewed } }, get, connection);
    expect(outcome).not.toHaveProperty('slid');
  });
});
