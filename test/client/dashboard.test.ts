import { createServer } from 'node:http';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { SITE_FILES } from '../../client/dashboard/site-files.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { remedyByCode, remedyOf } from '../../client/remedies.ts';
import { gatewayAnswers } from '../../functions/api/gateway-responses.ts';
import { statusByCode } from '../../functions/core/words/errors.ts';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { send } from '../local/demo/demo-client.ts';
import { handOutBody, problem, startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';
import { startDashboardUnderTest } from './dashboard-under-test.ts';
import { startLocalBroker } from './local-broker.ts';

const SLOT = { connection: 'wfm', subject: 'system' };

describe('the dashboard of a broker that requires signatures', async () => {
  const broker = await startLocalBroker();
  const dashboard = await startDashboardUnderTest(broker.url);
  afterAll(async () => {
    await dashboard.close();
    await broker.close();
  });

  it('shows connections and slots, and nothing that only `npm start` has', async () => {
    await dashboard.press('hand-out', SLOT);
    const { status, json } = await dashboard.state();
    expect(status).toBe(200);
    expect(json).toMatchObject({
      abilities: [],
      note: expect.stringContaining(broker.url),
      connections: [
        { name: 'helpdesk', subjects: ['system'], users: { pattern: '[1-9][0-9]{0,9}' }, more_slots: false },
        { name: 'wfm', users: null, slots: [{ subject: 'system', state: 'fresh', generation: 1 }] },
      ],
    });
    expect(JSON.stringify(json)).not.toMatch(/"(?:demo|counts|events|links)"/);
  });

  it.each(['herd', 'refresh', 'call', 'fault'])('has no POST /local/%s', async (name) => {
    expect((await dashboard.press(name, { ...SLOT, fault: 'down' })).status).toBe(404);
  });

  it('hands out, rejects and purges by token hash, and no answer holds a token or a credential', async () => {
    const client = createTokenBrokerClient({ url: broker.url });
    const current = async () => {
      const { token, tokenHash, generation } = await createTokenBrokerClient({ url: broker.url }).token('wfm');
      return { token, tokenHash, generation };
    };
    const first = await dashboard.press('hand-out', SLOT);
    const before = await current();
    expect(first.json).toMatchObject({ ok: true, status: 200, token_hash: before.tokenHash });

    const counted = await broker.counting('community');
    const rejected = await dashboard.press('reject', SLOT);
    const after = await current();
    expect(rejected.json).toMatchObject({ ok: true, token_hash: after.tokenHash, source: 'login' });
    expect(after.generation).toBe(before.generation + 1);
    expect((await counted()).logins).toBe(1);

    const purged = await dashboard.press('purge', SLOT);
    expect(purged.json).toMatchObject({ ok: true, status: 204 });
    const slots = (await client.status('wfm')).slots;
    expect(slots).toMatchObject([{ state: 'empty', expires_at: null }]);

    const secrets = [before.token, after.token, demoHelpmasterSecret.apiKey, demoCommunitySecret.password];
    for (const { text } of [first, rejected, purged, await dashboard.state()]) {
      expect(secrets.filter((secret) => text.includes(secret)).length).toBe(0);
    }
  });

  it('gives the last error of a slot with its remedy', async () => {
    const staff = { connection: 'helpdesk', subject: '777' };
    const refused = { code: 'upstream_subject_rejected', remedy: remedyByCode.upstream_subject_rejected };
    expect((await dashboard.press('hand-out', staff)).json).toMatchObject({ ok: false, status: 502, ...refused });
    const { json } = await dashboard.state();
    expect(json).toMatchObject({ connections: [{ slots: [{ subject: '777', last_error: refused }] }, {}] });
  });

  it('leaves it to the broker which connections and subjects there are', async () => {
    const nobody = await dashboard.press('hand-out', { connection: 'nobody', subject: 'system' });
    expect(nobody.json).toMatchObject({ ok: false, status: 404, code: 'unknown_connection' });
    const staff = await dashboard.press('hand-out', { connection: 'wfm', subject: '88' });
    expect(staff.json).toMatchObject({ ok: false, status: 400, code: 'subject_not_supported' });
  });
});

describe('the dashboard of a broker that misbehaves', async () => {
  const stub = await startStub();
  const dashboard = await startDashboardUnderTest(stub.url);
  afterAll(async () => {
    await dashboard.close();
    await stub.close();
  });
  let asked: number;
  beforeEach(() => {
    asked = stub.requests.length;
  });
  const requests = () => stub.requests.slice(asked).map(({ method, target }) => `${method} ${target}`);

  it('asks once: the operator presses a failed button again', async () => {
    stub.answer(problem(503, 'refresh_in_progress', { 'retry-after': '0' }));
    expect((await dashboard.press('hand-out', SLOT)).json).toMatchObject({
      ok: false,
      status: 503,
      code: 'refresh_in_progress',
      detail: 'About refresh_in_progress.',
      remedy: remedyByCode.refresh_in_progress,
    });
    expect(requests()).toEqual(['GET /tokens/wfm/system']);
  });

  it('reports no token as refused where it got none', async () => {
    stub.answer(problem(503, 'store_unavailable'));
    expect((await dashboard.press('reject', SLOT)).json).toMatchObject({ ok: false, code: 'store_unavailable' });
    expect(requests()).toEqual(['GET /tokens/wfm/system']);
  });

  it('reads one page of slots a look, however many there are', async () => {
    const wfm = { name: 'wfm', provider: 'community-web-api', lifetime_seconds: 1200 };
    const written = { secret_fields: [], subjects: { system: true, users: null } };
    stub.answer({ body: { connections: [wfm] } }, { body: { ...wfm, ...written, slots: [], next: 'more' } });
    expect((await dashboard.state()).json).toMatchObject({ connections: [{ name: 'wfm', more_slots: true }] });
    expect(requests()).toEqual(['GET /connections', 'GET /connections/wfm']);
  });

  it('shows a code that it does not know without a remedy', async () => {
    stub.answer(problem(502, 'constructor'));
    const { json } = await dashboard.press('hand-out', SLOT);
    expect(json).toMatchObject({ ok: false, code: 'constructor' });
    expect(json).not.toHaveProperty('remedy');
  });

  it.each([
    ['the API refuses', { status: 403, body: { message: 'Forbidden' } }, /Check the URL/],
    ['something else answers', { body: '<html>token-1234' }, /not JSON/],
    ['the broker is of another shape', { body: { connections: 'none' } }, /check the URL/],
    ['the broker fails', problem(503, 'store_unavailable'), /^store_unavailable: About/],
  ])('says in a sentence, with 502, that %s', async (_what, answer, words) => {
    stub.answer(answer);
    const { status, json, text } = await dashboard.state();
    expect(status).toBe(502);
    expect(json?.['message']).toMatch(words);
    expect(text).not.toContain('token-1234');
  });

  it('takes no token of another slot', async () => {
    stub.answer({ body: handOutBody('a-token-of-somebody-else', Date.now(), { subject: '42' }) });
    const { status, text } = await dashboard.press('hand-out', SLOT);
    expect(status).toBe(502);
    expect(text).not.toContain('a-token-of-somebody-else');
  });

  it('lives on when the broker is gone, and says so', async () => {
    const gone = await startStub();
    const alone = await startDashboardUnderTest(gone.url);
    await gone.close();
    const { status, json } = await alone.state();
    expect({ status, message: json?.['message'] }).toEqual({
      status: 502,
      message: expect.stringContaining('refused'),
    });
    expect((await send(alone.url)).status).toBe(200);
    expect(await alone.close()).toMatchObject({ code: 0 });
  });

  describe('the dashboard server', () => {
    it.each(['hand-out', 'reject', 'purge'])('POST /local/%s refuses every other origin, and none', async (name) => {
      const statuses = [];
      for (const origin of ['http://attacker.example', 'null', '', dashboard.url.replace('127.0.0.1', 'localhost')]) {
        statuses.push((await dashboard.press(name, SLOT, { origin })).status);
      }
      const json = { 'content-type': 'application/json' };
      const sent = { method: 'POST', headers: json, body: JSON.stringify(SLOT) };
      statuses.push((await send(`${dashboard.url}/local/${name}`, sent)).status);
      expect(statuses).toEqual([403, 403, 403, 403, 403]);
      expect((await dashboard.press(name, SLOT, { 'content-type': 'text/plain' })).status).toBe(415);
      expect((await send(`${dashboard.url}/local/${name}`)).status).toBe(404);
      expect(requests()).toEqual([]);
    });

    it.each([
      ['/', { host: 'attacker.example' }],
      ['/local/state', { host: 'attacker.example' }],
      ['/local/state', { host: '127.0.0.1:1' }],
      ['/local/state', { origin: 'http://attacker.example' }],
    ])('GET %s refuses %j', async (path, headers) => {
      expect((await send(`${dashboard.url}${path}`, { headers })).status).toBe(403);
      expect(requests()).toEqual([]);
    });

    it('a name in the target counts for nothing', async () => {
      const path = `http://attacker.example/local/state`;
      expect((await send(dashboard.url, { path })).status).toBe(404);
      expect(requests()).toEqual([]);
    });

    it.each([
      ['no connection', {}, 400],
      ['a path for a subject', { connection: 'wfm', subject: '../../connections' }, 400],
      ['dots for a subject', { connection: 'wfm', subject: '..' }, 400],
      ['a query for a subject', { connection: 'wfm', subject: '88?min_ttl=1' }, 400],
      ['a name that no connection can have', { connection: '__proto__', subject: 'system' }, 400],
      ['a list', ['wfm'], 400],
      ['too much', { ...SLOT, more: 'x'.repeat(5_000) }, 413],
    ])('refuses %s', async (_what, body, status) => {
      expect((await dashboard.press('purge', body)).status).toBe(status);
      expect(requests()).toEqual([]);
    });
  });

  it('serves the page’s own files, with a policy that lets in nothing but them', async () => {
    for (const path of ['/', ...SITE_FILES.map((name) => `/local/${name}`)]) {
      const { status, headers } = await send(`${dashboard.url}${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    }
    for (const path of ['/docs', '/openapi.json', '/local/../dashboard.ts', '/local/site-files.ts', '/local/']) {
      expect([path, (await send(dashboard.url, { path })).status]).toEqual([path, 404]);
    }
  });
});

describe('the dashboard command', () => {
  it('prints where the page is, and ends with 0 when it is interrupted', async () => {
    const dashboard = await startDashboardUnderTest('http://127.0.0.1:1');
    const { code, stdout, stderr } = await dashboard.close();
    expect({ code, printed: JSON.parse(stdout) }).toEqual({
      code: 0,
      printed: { url: dashboard.url, broker: 'http://127.0.0.1:1' },
    });
    expect(stderr).toContain('until Ctrl-C');
    await expect(send(dashboard.url)).rejects.toThrow('ECONNREFUSED');
  });

  it.each(['70000', 'x', '-1', '1.5'])('refuses --port=%s', async (port) => {
    const ran = await tokenBroker(['dashboard', `--port=${port}`]);
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--port is a whole number') });
  });

  it('says so where its port is taken', async () => {
    const server = createServer();
    const { port } = new URL(await listenOnLoopback(server, 0));
    const ran = await tokenBroker(['dashboard', '--port', port]);
    server.close();
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('EADDRINUSE') });
  });
});

it('there is a remedy for each of the broker’s codes, and for nothing else', () => {
  const codes = new Set([...Object.keys(statusByCode), ...Object.values(gatewayAnswers).map(({ code }) => code)]);
  expect(Object.keys(remedyByCode).sort()).toEqual([...codes].sort());
  expect(remedyOf('cooldown')).toBe(remedyByCode.cooldown);
  expect(remedyOf('constructor')).toBeUndefined();
});
