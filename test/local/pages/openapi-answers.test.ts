import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { openapiDocument } from '../../../local/pages/openapi/document.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';
import { type Received, send } from '../demo/demo-client.ts';
import { createAnswerCheck } from './openapi-validator.ts';

const TOKENS = '/tokens/{connection}/{subject}';
const PROXY = '/proxy/{connection}/{subject}/{path}';
const JSON_TYPE = { 'content-type': 'application/json' };
const HASH = createHash('sha256').update('no token').digest('hex');

const problemsOf = createAnswerCheck(openapiDocument());

const helpmaster = await startDemoHelpmaster();
const community = await startDemoCommunity();
const onHelpmaster = { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, timeoutSeconds: 1 };
const connections = {
  helpdesk: { ...onHelpmaster, proxy: { methods: ['GET'], paths: ['/jobs'] } },
  listed: { ...onHelpmaster, subjects: { system: true, staff: ['88'] } },
  refused: onHelpmaster,
  locked: onHelpmaster,
  unread: onHelpmaster,
  keyless: onHelpmaster,
  nowhere: { provider: 'helpmaster', baseUrl: 'http://127.0.0.1:1' },
  wfm: { provider: 'community-web-api', baseUrl: community.baseUrl, proxy: { methods: ['GET'], paths: ['/'] } },
  single: {
    provider: 'community-web-api',
    baseUrl: community.baseUrl,
    tokensOverlap: false,
    proxy: { methods: ['GET'], paths: ['/'] },
  },
};
const isCommunity = (name: string) => name === 'wfm' || name === 'single';
const secrets = Object.fromEntries(
  Object.keys(connections).map((name) => [name, isCommunity(name) ? demoCommunitySecret : demoHelpmasterSecret]),
);
const trust = [{ issuer: 'https://issuer.example', audience: 'a', subject: 's', connections: ['helpdesk'] }];
const system = await startSystemUnderTest({ connections, secrets, trust });
afterAll(async () => {
  await system.close();
  await Promise.all([helpmaster.close(), community.close()]);
});

/** Sends a request of an operation and expects an answer that the document has. */
async function ask(path: string, operation: string, options: Parameters<typeof send>[1] = {}): Promise<Received> {
  const received = await send(`${system.url}${path}`, options);
  const method = options.method ?? 'GET';
  expect(problemsOf({ path: operation, method, received }), `${method} ${path}: ${gistOf(received)}`).toEqual([]);
  return received;
}

const TRY = '/connections/{connection}/try';
const tryIt = (connection: string, body: unknown = {}, headers: Record<string, string> = JSON_TYPE) =>
  ask(`/connections/${connection}/try`, TRY, { method: 'POST', headers, body: JSON.stringify(body) });
const token = (slot: string, query = '') => ask(`/tokens/${slot}${query}`, TOKENS);
const reject = (slot: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
  ask(`/tokens/${slot}`, TOKENS, { method: 'POST', headers, body });

describe('successful answers match the OpenAPI document', () => {
  it('hand-outs of both providers, C5 to C11 among their attributes', async () => {
    expect((await token('helpdesk/88')).json).toMatchObject({ token_type: 'Bearer', source: 'login' });
    expect((await token('helpdesk/88')).json).toMatchObject({ source: 'cache' });
    expect((await token('wfm/system', '?min_ttl=60')).json).toMatchObject({ token_type: 'N_A' });
  });

  it('a login that is tried, with a token and without', async () => {
    expect((await tryIt('helpdesk')).json).toMatchObject({ result: { outcome: 'published' } });
    expect((await tryIt('nowhere')).json).toMatchObject({ result: { code: 'upstream_unreachable' } });
    expect(gistOf(await tryIt('nowhere'))).toBe('503 cooldown');
    expect(gistOf(await tryIt('wfm', {}, { 'content-type': 'text/plain' }))).toBe('415 unsupported_media_type');
    expect(gistOf(await tryIt('wfm', { subject: 7 }))).toBe('400 invalid_request');
  });

  it('a report of a token that is not current', async () => {
    expect((await reject('helpdesk/88', JSON.stringify({ rejected: HASH }))).status).toBe(200);
  });

  it('the states of connections, a failure and an empty slot among them', async () => {
    await token('nowhere/system');
    await token('wfm/system');
    await ask('/connections', '/connections');
    const wfm = await ask('/connections/wfm', '/connections/{connection}');
    expect(wfm.json?.['slots']).toMatchObject([{ subject: 'system', state: 'fresh', last_error: null }]);
    const nowhere = await ask('/connections/nowhere', '/connections/{connection}');
    expect(nowhere.json?.['slots']).toMatchObject([{ issued_at: null, last_error: { code: 'upstream_unreachable' } }]);
  });

  it('a purge', async () => {
    expect((await ask('/tokens/helpdesk/1', TOKENS, { method: 'DELETE' })).status).toBe(204);
  });

  it('a proxied call is the answer of the upstream', async () => {
    const received = await send(`${system.url}/proxy/helpdesk/88/jobs/MyOpenJobs`);
    expect(received.status).toBe(200);
    expect(received.headers['token-broker-error']).toBeUndefined();
  });
});

describe('problem answers match the OpenAPI document', () => {
  it.each<[string, number, () => Promise<Received>]>([
    ['invalid_request', 400, () => token('helpdesk/88', '?min_ttl=soon')],
    ['invalid_request', 400, () => reject('helpdesk/88', '{}')],
    ['invalid_request', 400, () => ask('/proxy/wfm/system/a/../b', PROXY, { headers: { wfmsgapikey: 'my-own' } })],
    ['invalid_request', 400, () => ask('/connections/wfm?next=nothing', '/connections/{connection}')],
    ['invalid_subject', 400, () => token('helpdesk/root')],
    ['invalid_subject', 400, () => ask('/tokens/helpdesk/007', TOKENS, { method: 'DELETE' })],
    ['subject_not_supported', 400, () => token('wfm/88')],
    ['min_ttl_unsatisfiable', 400, () => token('wfm/system', '?min_ttl=86400')],
    ['forbidden', 403, () => token('listed/42')],
    ['proxy_not_allowed', 403, () => ask('/proxy/helpdesk/88/clients', PROXY)],
    ['handout_disabled', 403, () => token('single/system')],
    ['not_found', 404, () => ask('/proxy/listed/88/jobs', PROXY)],
    ['unknown_connection', 404, () => token('nobody/system')],
    ['unknown_connection', 404, () => ask('/connections/nobody', '/connections/{connection}')],
    ['payload_too_large', 413, () => reject('helpdesk/88', 'x'.repeat(8_193))],
    ['unsupported_media_type', 415, () => reject('helpdesk/88', '{}', {})],
    ['renewal_throttled', 429, () => rejectCurrent('helpdesk/88')],
    ['upstream_unreachable', 503, () => token('nowhere/88')],
    ['upstream_subject_rejected', 502, () => token('helpdesk/777')],
    ['cooldown', 503, () => token('helpdesk/777')],
  ])('%s, %i', async (code, status, provoke) => {
    const received = await provoke();
    expect(gistOf(received)).toBe(`${status} ${code}`);
    expect(received.json?.['status']).toBe(status);
    expect(received.headers['retry-after'] ?? '1').toMatch(/^[1-9][0-9]*$/);
  });

  /** Each on a slot of its own, for which nothing is known yet. */
  it.each<[string, number, Partial<HelpmasterKnobs>, string]>([
    ['upstream_login_ambiguous', 502, { loginStatus: 500 }, 'helpdesk/101'],
    ['upstream_invalid_response', 502, { body: 'html' }, 'listed/system'],
    ['upstream_token_unusable', 502, { expiry: 'past', staff: ['103'] }, 'helpdesk/103'],
    ['upstream_subject_mismatch', 502, { unknownSubject: 'other-user' }, 'helpdesk/104'],
    ['upstream_redirect', 502, { redirectTo: '/elsewhere' }, 'helpdesk/105'],
    ['upstream_response_too_large', 502, { body: 'oversized' }, 'helpdesk/106'],
    ['upstream_throttled', 503, { loginStatus: 429 }, 'helpdesk/107'],
    ['upstream_unavailable', 503, { loginStatus: 503 }, 'helpdesk/108'],
    ['upstream_outcome_unknown', 503, { reset: 'after' }, 'helpdesk/109'],
    ['upstream_timeout', 504, { hang: true }, 'helpdesk/110'],
    ['upstream_account_locked', 502, { locked: true }, 'locked/system'],
    ['upstream_credential_rejected', 502, { suspended: true }, 'refused/system'],
  ])('%s, %i', async (code, status, knobs, slot) => {
    const before = helpmaster.knobs();
    helpmaster.setKnobs(knobs);
    const received = await token(slot).finally(() => helpmaster.setKnobs({ ...before, revokeIssued: false }));
    expect(gistOf(received)).toBe(`${status} ${code}`);
  });

  /** Each on a slot of its own; a secret once read, and a data key once made, would serve for a while. */
  it.each<[string, string, () => void]>([
    ['store_unavailable', 'listed/88', () => system.controls.dynamodb.set('dynamodb', { mode: 'down' })],
    ['kms_unavailable', 'keyless/system', () => system.controls.aws.set('kms', { mode: 'down' })],
    ['mint_unavailable', 'helpdesk/42', () => system.controls.aws.set('lambda', { mode: 'throttle' })],
    ['secret_unavailable', 'unread/system', () => system.controls.aws.set('secretsmanager', { mode: 'down' })],
  ])('%s, 503', async (code, slot, breakPlatform) => {
    breakPlatform();
    const received = await token(slot).finally(() => {
      system.controls.dynamodb.clear();
      system.controls.aws.clear();
    });
    expect(gistOf(received)).toBe(`503 ${code}`);
  });

  it('404 and 405, which belong to no operation, are the problems that it describes', async () => {
    for (const [method, path, code] of [
      ['GET', '/elsewhere', 'not_found'],
      ['PATCH', '/connections', 'method_not_allowed'],
    ] as const) {
      const { json } = await send(`${system.url}${path}`, { method });
      expect(json).toMatchObject({ code });
      const { code: _code, status: _status, ...rest } = json ?? {};
      expect(Object.keys(rest).sort()).toEqual(['detail', 'request_id', 'title', 'type']);
    }
  });

  it('RFC 6749 §5.2: a refused exchange', async () => {
    const received = await ask('/oauth2/token', '/oauth2/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'a.b.c',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        audience: 'helpdesk',
      }).toString(),
    });
    expect(received).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });
});

async function rejectCurrent(slot: string): Promise<Received> {
  const current = String((await token(slot)).json?.['access_token']);
  return reject(slot, JSON.stringify({ rejected: createHash('sha256').update(current).digest('hex') }));
}

/** An answer in short; never its token. */
function gistOf({ status, json }: Received): string {
  return `${status} ${String(json?.['code'] ?? json?.['source'] ?? json?.['error'] ?? '')}`;
}
