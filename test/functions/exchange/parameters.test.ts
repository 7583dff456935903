import { afterAll, expect, it } from 'vitest';
import { send } from '../../local/demo/demo-client.ts';
import { deployer, gistOf, JWT_TYPE, startExchangeHarness, TOKEN_EXCHANGE } from './exchange-harness.ts';

const broker = await startExchangeHarness();
const form: Readonly<Record<string, string>> = {
  grant_type: TOKEN_EXCHANGE,
  subject_token: await broker.issuer.sign(deployer),
  subject_token_type: JWT_TYPE,
  audience: 'helpdesk',
};
afterAll(() => broker.close());

it('takes the form as it stands, so that each refusal below is for the one thing that differs', async () => {
  expect(gistOf(await broker.post(form))).toBe('200 system');
});

it.each(['grant_type', 'subject_token', 'subject_token_type', 'audience'])('needs %s, and not empty', async (name) => {
  const { [name]: _, ...rest } = form;

  for (const lacking of [rest, { ...form, [name]: '' }]) {
    const answer = await broker.post(lacking);
    expect(gistOf(answer)).toBe('400 invalid_request');
    expect(answer.json?.['error_description']).toContain(name);
  }
});

it.each([
  ['another grant', { grant_type: 'client_credentials' }, '400 unsupported_grant_type'],
  ['a SAML assertion', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, '400 invalid_request'],
  ['an access token', { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }, '400 invalid_request'],
  ['another issued type', { requested_token_type: JWT_TYPE }, '400 invalid_request'],
  ['an actor', { actor_token: 'x', actor_token_type: JWT_TYPE }, '400 invalid_request'],
  ['a resource', { resource: 'https://api.example' }, '400 invalid_target'],
  ['a scope', { scope: 'jobs' }, '400 invalid_scope'],
])('refuses %s (RFC 8693 §2.1)', async (_, change, gist) => {
  expect(gistOf(await broker.post({ ...form, ...change }))).toBe(gist);
});

it.each(['grant_type', 'subject_token', 'audience', 'requested_subject', 'client_id', 'unknown'])(
  'refuses %s given twice, though the values agree (RFC 6749 §3.2)',
  async (name) => {
    const value = form[name] ?? 'x';

    expect(gistOf(await broker.post({ ...form, [name]: [value, value] }))).toBe('400 invalid_request');
    expect(gistOf(await broker.post({ ...form, [name]: ['', value] }))).toBe('400 invalid_request');
  },
);

it.each([
  ['JSON', 'application/json', () => JSON.stringify(form)],
  ['no type', undefined, () => new URLSearchParams(form).toString()],
  ['a multipart form', 'multipart/form-data; boundary=x', () => '--x--'],
])('refuses %s with 415, in the shape of every error here', async (_, type, body) => {
  const headers = type === undefined ? {} : { 'content-type': type };
  const answer = await send(`${broker.url}/oauth2/token`, { method: 'POST', headers, body: body() });

  expect(gistOf(answer)).toBe('415 invalid_request');
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  expect(answer.json).toMatchObject({ code: 'unsupported_media_type', request_id: expect.any(String) });
});

it.each([16_384, 16_385])('counts the bytes of a body: %i', async (bytes) => {
  const body = `${new URLSearchParams(form)}&padding=`.padEnd(bytes, 'x');
  const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' };
  const answer = await send(`${broker.url}/oauth2/token`, { method: 'POST', headers, body });

  expect(gistOf(answer)).toBe(bytes > 16_384 ? '413 invalid_request' : '200 system');
});

it.each(['', '%', '%ff%fe=1', '__proto__=x&__proto__=y', '&&&==', 'grant_type'])(
  'survives the body %j',
  async (body) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await send(`${broker.url}/oauth2/token`, { method: 'POST', headers, body });

    expect(gistOf(answer)).toBe('400 invalid_request');
  },
);
