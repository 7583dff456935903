import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { send } from '../../local/demo/demo-client.ts';
import { startProxyHarness } from './proxy-harness.ts';

const broker = await startProxyHarness();
afterAll(() => broker.close());
beforeEach(() => {
  broker.helpmaster.clearLedger();
  broker.community.clearLedger();
  broker.exclusive.clearLedger();
  broker.scripted.received.length = 0;
});

// The path is passed separately: a parsed URL would lose its dot segments.
const call = (path: string, options: Parameters<typeof send>[1] = {}) =>
  send(broker.url, { ...options, path: `/proxy/${path}` });
const token = (slot: string) => send(`${broker.url}/tokens/${slot}`);
const sha256 = (value: string | Buffer) => createHash('sha256').update(value).digest('hex');

async function currentToken(slot: string): Promise<{ value: string; generation: number }> {
  const { json } = await token(slot);
  return { value: String(json?.['access_token']), generation: Number(json?.['generation']) };
}

/** The generation of a connection's one slot, seen without handing out its token. */
async function generationOf(connection: string): Promise<number> {
  const { text } = await send(`${broker.url}/connections/${connection}`);
  return Number(/"generation":(\d+)/.exec(text)?.[1]);
}

describe('a proxied call', () => {
  it('reaches the upstream as the subject, and brings its answer back (H6, H8)', async () => {
    const { status, json } = await call('helpdesk/88/jobs/Mine?sort=a%20b&sort=c');

    expect(status).toBe(200);
    expect(json).toMatchObject({ actingAs: { userid: '88' }, path: '/jobs/Mine', query: 'sort=a%20b&sort=c' });
  });

  it('carries the part of the credential that goes with each call, from one login', async () => {
    broker.scripted.answer((_request, _body, response) => response.end('{}'));
    const answers = [await call('keyed/system/jobs'), await call('keyed/system/jobs')];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(broker.scripted.received.map(({ headers }) => headers['x-api-key'])).toEqual([
      'a-part-of-the-credential',
      'a-part-of-the-credential',
    ]);
    expect(await generationOf('keyed')).toBe(1);
  });

  it('carries a body of any bytes both ways', async () => {
    const sent = randomBytes(70_000);
    const answered = randomBytes(300_000);
    let arrived = '';
    broker.scripted.answer((_request, body, response) => {
      arrived = sha256(body);
      response.setHeader('content-type', 'application/octet-stream');
      response.end(answered);
    });
    const headers = { 'content-type': 'image/png' };
    const { body } = await call('scripted/system/binary', { method: 'POST', headers, body: sent });

    expect(arrived).toBe(sha256(sent));
    expect(sha256(body)).toBe(sha256(answered));
  });

  it('forwards what describes content and what the policy declares, and nothing of the caller', async () => {
    broker.scripted.answer((_request, _body, response) => response.end('{}'));
    await call('scripted/system/open/x', {
      method: 'POST',
      headers: {
        accept: 'application/xml',
        'accept-language': 'de',
        'accept-encoding': 'br',
        'content-type': 'text/x',
        'if-match': '"1"',
        'x-declared': 'yes',
        'x-undeclared': 'no',
        cookie: 'a=b',
        'user-agent': 'caller',
        authorization: 'AWS4-HMAC-SHA256 Credential=local',
      },
      body: Buffer.from('x'),
    });
    const { host, authorization, ...headers } = broker.scripted.received[0]?.headers ?? {};

    expect(host).toBe(new URL(broker.scripted.url).host);
    expect(authorization).toMatch(/^Bearer scripted\+token\//);
    expect(headers).toEqual({
      accept: 'application/xml',
      'accept-language': 'de',
      'accept-encoding': 'identity',
      'content-type': 'text/x',
      'content-length': '1',
      'if-match': '"1"',
      'user-agent': 'caller',
      'x-declared': 'yes',
      connection: 'close',
    });
  });

  it('hands back neither token headers, cookies nor hop-by-hop headers, and follows no redirect', async () => {
    broker.scripted.answer((_request, _body, response) => {
      response.writeHead(307, {
        location: 'http://elsewhere.invalid/',
        authorization: 'Bearer leaked',
        'set-cookie': 'session=1',
        'x-hop': 'gone',
        connection: 'close, x-hop',
        'x-kept': 'kept',
      });
      response.end('moved');
    });
    const { status, headers } = await call('scripted/system/open');

    expect(status).toBe(307);
    expect(headers).toMatchObject({ location: 'http://elsewhere.invalid/', 'x-kept': 'kept' });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('x-hop');
    expect(broker.scripted.received).toHaveLength(1);
  });

  it('shows the caller no slid token (C15, C16)', async () => {
    const { status, headers } = await call('wfm/system/AgentLogonReport');

    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('wfmsgapikey');
  });

  it('records the caller and never the token', async () => {
    await call('calm/system/AgentLogonReport');
    const { value } = await currentToken('calm/system');

    expect(broker.logged()).toMatch(/"connection":"calm".*"via":"proxy"/);
    expect(broker.logged()).not.toContain(value);
  });
});

describe('proxied calls refused before the upstream is asked', () => {
  it.each([
    ['a method outside the policy', 'helpdesk/88/jobs', { method: 'DELETE' }, 403, 'proxy_not_allowed'],
    ['a path outside the policy', 'scripted/system/openly', {}, 403, 'proxy_not_allowed'],
    ['a dot segment', 'helpdesk/88/a/%2e%2e/b', {}, 400, 'invalid_request'],
    ['a dot segment by an encoded slash', 'helpdesk/88/a%2f..%2fb', {}, 400, 'invalid_request'],
    ['a dot segment with a parameter', 'scripted/system/open/..;/secret', {}, 400, 'invalid_request'],
    ['the same by escapes', 'scripted/system/open/%2e%2e%3bx=1/secret', {}, 400, 'invalid_request'],
    ['a parameter on a prefix of the policy', 'scripted/system/open;x=1/y', {}, 403, 'proxy_not_allowed'],
    ['a prefix of the policy by another case', 'scripted/system/%C3%96FFEN', {}, 403, 'proxy_not_allowed'],
    ['a backslash', 'helpdesk/88/a%5cb', {}, 400, 'invalid_request'],
    ['a percent sign', 'helpdesk/88/a%2525', {}, 400, 'invalid_request'],
    ['an encoded question mark', 'helpdesk/88/a%3fb', {}, 400, 'invalid_request'],
    ['a control character', 'helpdesk/88/a%0d%0ab', {}, 400, 'invalid_request'],
    ['a token of its own', 'wfm/system/a', { headers: { WFMSGAPIKEY: 'mine' } }, 400, 'invalid_request'],
    ['a bearer of its own', 'helpdesk/88/a', { headers: { authorization: 'Bearer mine' } }, 400, 'invalid_request'],
    ['no subject', 'helpdesk/0/a', {}, 400, 'invalid_subject'],
    ['a connection without proxy', 'unproxied/88/a', {}, 404, 'not_found'],
    ['an unknown connection', 'nobody/88/a', {}, 404, 'unknown_connection'],
  ])('%s', async (_, path, options, status, code) => {
    const answer = await call(path, options);

    expect({ status: answer.status, code: answer.json?.['code'] }).toEqual({ status, code });
    expect(broker.helpmaster.ledger().calls).toEqual([]);
    expect(broker.scripted.received).toEqual([]);
  });

  it('marks its own errors, so that they are not taken for the upstream’s', async () => {
    const own = await call('helpdesk/88/jobs', { method: 'DELETE' });
    broker.scripted.answer((_request, _body, response) => {
      response.writeHead(403, { 'Token-Broker-Error': 'cooldown', 'x-kept': 'kept' });
      response.end('{"code":"theirs"}');
    });
    const theirs = await call('scripted/system/open');

    expect(own.headers['token-broker-error']).toBe('proxy_not_allowed');
    expect(theirs.status).toBe(403);
    expect(theirs.headers).toHaveProperty('x-kept', 'kept');
    expect(theirs.headers).not.toHaveProperty('token-broker-error');
  });

  it('marks the 404 of a connection without a proxy too', async () => {
    expect((await call('unproxied/88/a')).headers['token-broker-error']).toBe('not_found');
  });

  it('answers 502 over 4.5 MB, 504 for an upstream that hangs, 503 for one that resets', async () => {
    broker.scripted.answer((_request, _body, response) => response.end(Buffer.alloc(4_800_000)));
    const large = await call('scripted/system/open');
    broker.scripted.answer(() => undefined);
    const hung = await call('scripted/system/open');
    broker.scripted.answer((request) => request.socket.destroy());
    const reset = await call('scripted/system/open');

    expect([large.status, large.json?.['code']]).toEqual([502, 'upstream_response_too_large']);
    expect([hung.status, hung.json?.['code']]).toEqual([504, 'upstream_timeout']);
    expect([reset.status, reset.json?.['code']]).toEqual([503, 'upstream_outcome_unknown']);
  });
});

describe('a token that the upstream ended early (H17, C19)', () => {
  it('is renewed once for a hundred calls in flight, and each call is replayed', async () => {
    await call('helpdesk/42/jobs');
    broker.helpmaster.clearLedger();
    broker.helpmaster.setKnobs({ revokeIssued: true });
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('helpdesk/42/jobs')));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(broker.helpmaster.ledger().logins).toHaveLength(1);
  });

  it('passes a second 401 on, and then ignores rejections of the slot for 30 s', async () => {
    await call('helpdesk/1/jobs');
    broker.helpmaster.setKnobs({ callStatus: 401 });
    broker.helpmaster.clearLedger();
    const answer = await call('helpdesk/1/jobs');
    const again = await call('helpdesk/1/jobs');
    const { value } = await currentToken('helpdesk/1');
    const rejected = await send(`${broker.url}/tokens/helpdesk/1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rejected: sha256(value) }),
    });
    broker.helpmaster.setKnobs({ callStatus: null });

    expect(answer.status).toBe(401);
    expect(again.status).toBe(401);
    expect(broker.helpmaster.ledger().logins).toHaveLength(1);
    expect([rejected.status, rejected.json?.['code']]).toEqual([429, 'renewal_throttled']);
    expect(Number(rejected.headers['retry-after'])).toBeGreaterThan(20);
  });

  it('is not renewed for a 403', async () => {
    await call('helpdesk/88/jobs');
    broker.helpmaster.clearLedger();
    broker.helpmaster.setKnobs({ callStatus: 403 });
    const { status } = await call('helpdesk/88/jobs');
    broker.helpmaster.setKnobs({ callStatus: null });

    expect(status).toBe(403);
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  });
});

describe('a slide in a proxied answer (C15)', () => {
  it('is taken up past refreshAt as the next generation, without a login or a refresh', async () => {
    await call('wfm/system/AgentLogonReport');
    const before = await generationOf('wfm');
    broker.community.clearLedger();
    await call('wfm/system/AgentLogonReport');

    expect(await generationOf('wfm')).toBe(before + 1);
    expect(broker.community.ledger().logins).toEqual([]);
  });

  it('is dropped before refreshAt', async () => {
    const before = await currentToken('calm/system');
    await call('calm/system/AgentLogonReport');

    expect(await currentToken('calm/system')).toEqual(before);
  });

  it.each(['missing', 'empty', 'conflicting'] as const)(
    'leaves the token alone when the header is %s (C16)',
    async (slide) => {
      broker.community.setKnobs({ slide });
      const before = await generationOf('wfm');
      const { status } = await call('wfm/system/AgentLogonReport');
      broker.community.setKnobs({ slide: 'normal' });

      expect(status).toBe(200);
      expect(await generationOf('wfm')).toBe(before);
    },
  );

  it('keeps what the upstream said at login (C11)', async () => {
    await call('wfm/system/AgentLogonReport');

    expect((await token('wfm/system')).json?.['attributes']).toMatchObject({ agentId: 4711 });
  });
});

describe('an upstream that ends the old token when it issues a new one (C18)', () => {
  it('gets one call at a time, each with the token that the last one slid, from one login', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => call('alone/system/AgentLogonReport')));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(broker.exclusive.ledger().logins).toHaveLength(1);
    expect(broker.exclusive.ledger().calls.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
  });

  it('logs in once when the session was ended, and replays', async () => {
    await call('alone/system/AgentLogonReport');
    broker.exclusive.clearLedger();
    broker.exclusive.setKnobs({ revokeIssued: true });
    const { status } = await call('alone/system/AgentLogonReport');

    expect(status).toBe(200);
    expect(broker.exclusive.ledger().logins).toHaveLength(1);
  });

  it('has no hand-outs', async () => {
    const { status, json } = await token('alone/system');

    expect([status, json?.['code']]).toEqual([403, 'handout_disabled']);
  });
});
