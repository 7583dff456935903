import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret } from '../../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';
import { press, type Received, send } from '../demo/demo-client.ts';

const SLOT = { connection: 'wfm', subject: 'system' };
const POSTS = ['hand-out', 'reject', 'purge', 'call', 'herd', 'refresh', 'fault'];

const system = await startSystemUnderTest();
afterAll(() => system.close());

const get = (path: string, headers: Record<string, string> = {}) => send(`${system.url}${path}`, { headers });
const act = async (name: string, body: unknown = SLOT) => (await press(system.url, `/local/${name}`, body)).json ?? {};

async function slotOf({ connection, subject } = SLOT): Promise<Record<string, unknown>> {
  const connections = listOf((await get('/local/state')).json?.['connections']);
  const found = connections.find(({ name }) => name === connection);
  return listOf(found?.['slots']).find((slot) => slot['subject'] === subject) ?? {};
}

function listOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value : [];
}

describe('the files of the page', () => {
  it('come with a policy that lets in nothing but them, and name no other server', async () => {
    const index = await get('/');
    expect(index.status).toBe(200);
    expect(index.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(index.headers['content-security-policy']).not.toContain('unsafe');
    expect(index.text).not.toMatch(/ style=|<style|<script(?![^>]* src=)| on[a-z]+=/);

    const names = [...index.text.matchAll(/(?:src|href)="(local\/[^"]+)"/g)].map(([, name]) => name ?? '');
    expect(names).toContain('local/page.js');
    for (const name of [
      ...names,
      'local/element.js',
      'local/words.js',
      'local/slot-row.js',
      'local/connection-card.js',
    ]) {
      const file = await get(`/${name}`);
      expect([name, file.status]).toEqual([name, 200]);
      expect(file.headers['cache-control']).toBe('no-store');
      expect(file.text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    }
  });

  it.each(['/local/pages.ts', '/local/../start.ts', '/local/site', '/docs/package.json', '/docs/..%2fpackage.json'])(
    '%s is not among them',
    async (path) => {
      expect((await send(system.url, { path })).status).toBe(404);
    },
  );

  it('are Swagger UI and the document at /docs, from this server alone', async () => {
    const index = await get('/docs');
    const names = [...index.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect([name, (await get(`/${name}`)).status]).toEqual([name, 200]);
    expect(index.headers['content-security-policy']).toContain("default-src 'self'");
    expect((await get('/openapi.json')).json).toMatchObject({ openapi: '3.1.1' });
  });
});

describe('access to the endpoints of the page', () => {
  it.each(POSTS)('POST /local/%s refuses every other origin, and none', async (name) => {
    const url = `${system.url}/local/${name}`;
    const json = { 'content-type': 'application/json' };
    const before = system.log().length;
    const sent = async (headers: Record<string, string>) =>
      (await send(url, { method: 'POST', headers, body: JSON.stringify({ ...SLOT, fault: 'down' }) })).status;
    expect(await sent(json)).toBe(403);
    expect(await sent({ ...json, origin: 'http://attacker.example' })).toBe(403);
    expect(await sent({ ...json, origin: 'null' })).toBe(403);
    expect(await sent({ ...json, origin: system.url.replace('127.0.0.1', 'localhost') })).toBe(403);
    expect(await sent({ origin: system.url, 'content-type': 'text/plain' })).toBe(415);
    expect((await get(`/local/${name}`)).status).toBe(404);
    expect(system.log().slice(before)).not.toContain('handed out');
  });

  it('GET /local/state is for loopback names only', async () => {
    expect((await get('/local/state', { host: 'attacker.example' })).status).toBe(403);
    expect((await get('/local/state')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['no connection', {}, 400],
    ['another connection', { connection: 'nobody', subject: 'system' }, 404],
    ['a path for a subject', { connection: 'wfm', subject: '../../connections' }, 400],
    ['a list', ['wfm'], 400],
    ['too much', { ...SLOT, more: 'x'.repeat(5_000) }, 413],
  ])('refuses %s', async (_what, body, status) => {
    expect((await press(system.url, '/local/hand-out', body)).status).toBe(status);
  });
});

describe('the buttons of the page', () => {
  it('hand out by token hash: no answer of the page holds a token or a credential', async () => {
    const answers: Received[] = [];
    for (const name of ['hand-out', 'call', 'reject', 'herd', 'refresh', 'purge', 'hand-out']) {
      for (const slot of [SLOT, { connection: 'helpdesk', subject: '88' }]) {
        answers.push(await press(system.url, `/local/${name}`, slot));
      }
    }
    answers.push(await get('/local/state'));

    const [handOut] = answers;
    expect(handOut?.json).toMatchObject({ ok: true, source: 'login', generation: 1 });
    expect(handOut?.json?.['token_hash']).toMatch(/^[0-9a-f]{12}$/);
    const wfm = (await send(`${system.url}/tokens/wfm/system`)).json ?? {};
    const helpdesk = (await send(`${system.url}/tokens/helpdesk/88`)).json ?? {};
    const secrets = [demoHelpmasterSecret.apiKey, demoCommunitySecret.password, wfm, helpdesk].map((secret) =>
      typeof secret === 'string' ? secret : String(secret['access_token']),
    );
    for (const { text } of answers) {
      expect(secrets.filter((secret) => text.includes(secret)).length).toBe(0);
      expect(text.match(/[A-Za-z0-9+/_.-]{40,}/)?.[0]?.length ?? 0).toBe(0);
    }
  });

  it('200 callers on cold functions cost one login, and get one token', async () => {
    expect(await act('herd', { connection: 'helpdesk', subject: '42' })).toMatchObject({
      ok: true,
      callers: 200,
      answered: 200,
      instances: 8,
      logins: 1,
      tokens: 1,
      codes: [],
    });
  });

  it('C15: skip to refresh has the schedule slide the token, without a login', async () => {
    await act('herd');
    const before = await slotOf();
    const countsBefore = await countsOf('wfm');
    expect(await act('refresh')).toEqual({ ok: true });
    expect((await slotOf())['generation']).toBe(Number(before['generation']) + 1);
    expect(await countsOf('wfm')).toMatchObject({
      logins: countsBefore['logins'],
      slides: Number(countsBefore['slides']) + 1,
    });
    expect(await act('refresh', { connection: 'helpdesk', subject: '1' })).toEqual({ ok: false });
  });

  it('invariant 11: callers do not notice a broken upstream, and the page says so beside the slot', async () => {
    await act('herd');
    await act('fault', { connection: 'wfm', fault: 'down' });
    expect((await stateOf('wfm'))['demo']).toMatchObject({ fault: 'down' });
    await act('refresh');
    expect((await slotOf())['last_error']).toMatchObject({
      code: 'upstream_unavailable',
      remedy: expect.stringContaining('the broker tries again by itself'),
    });
    expect(await act('hand-out')).toMatchObject({ ok: true });
    expect(await act('call')).toMatchObject({ ok: false, status: 503 });

    await act('fault', { connection: 'wfm', fault: 'mended' });
    expect((await stateOf('wfm'))['demo']).toMatchObject({ fault: 'mended' });
    expect(await act('call')).toMatchObject({ ok: true, status: 200 });
  });

  it('a problem comes with its words and the remedy', async () => {
    await act('purge', { connection: 'helpdesk', subject: '777' });
    expect(await act('hand-out', { connection: 'helpdesk', subject: '777' })).toMatchObject({
      ok: false,
      status: 502,
      code: 'upstream_subject_rejected',
      remedy: 'Check that the upstream knows this subject. Only this slot is affected.',
    });
    expect((await press(system.url, '/local/fault', { connection: 'wfm', fault: 'nothing' })).status).toBe(400);
  });
});

it('with --require-sigv4 the page signs its requests to the broker, and unsigned callers stay refused', async () => {
  const strict = await startSystemUnderTest({ flags: ['--require-sigv4'] });
  try {
    expect((await send(`${strict.url}/tokens/wfm/system`)).status).toBe(403);
    for (const name of ['hand-out', 'reject', 'call', 'purge']) {
      const { json } = await press(strict.url, `/local/${name}`, SLOT);
      expect(json?.['status']).not.toBe(403);
    }
    expect((await send(`${strict.url}/local/state`)).status).toBe(200);
  } finally {
    await strict.close();
  }
});

async function stateOf(connection: string): Promise<Record<string, unknown>> {
  const connections = listOf((await get('/local/state')).json?.['connections']);
  return connections.find(({ name }) => name === connection) ?? {};
}

async function countsOf(connection: string): Promise<Record<string, unknown>> {
  return Object((await stateOf(connection))['counts']);
}
