import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { helpmasterOpenapi } from '../../local/demo/helpmaster-openapi.ts';
import { send } from '../local/demo/demo-client.ts';
import { type BrokerProcess, PROJECT_FOLDER, startBroker } from './broker-process.ts';

const run = promisify(execFile);
const SETS = /^(?:TOKEN|JWT)=/;

/** The printed requests in their order; one that needs `$TOKEN` or `$JWT` has the line before it, which sets it. */
function printedRequests(stdout: string): readonly string[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('  '));
  return lines.flatMap((line, index) => {
    if (SETS.test(line.trim())) return [];
    const before = lines[index - 1]?.trim() ?? '';
    return [SETS.test(before) ? `${before}\n${line.trim()}` : line.trim()];
  });
}

function requestFor(broker: BrokerProcess, end: string): string {
  const found = printedRequests(broker.stdout()).find((request) => request.endsWith(end));
  if (found === undefined) throw new Error(`No request that ends in ${end} was printed.`);
  return found;
}

/** Pastes a request into a shell and reads what comes back as JSON. */
async function paste(broker: BrokerProcess, end: string): Promise<Record<string, unknown>> {
  const { stdout } = await run('sh', ['-c', requestFor(broker, end)], { cwd: PROJECT_FOLDER });
  return JSON.parse(stdout);
}

it('is the target of `npm start`', async () => {
  const manifest: { scripts?: { start?: string } } = JSON.parse(
    await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8'),
  );
  expect(manifest.scripts?.start).toBe('node local/start.ts');
});

describe('the requests that npm start prints, pasted into a shell', async () => {
  const broker = await startBroker();
  afterAll(async () => {
    expect(await broker.stop()).toMatchObject({ code: 0, signal: null });
  });

  it('begins with where everything is', () => {
    expect(broker.stdout().split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/^listening on http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^demo helpmaster http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^demo community http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^demo oauth http:\/\/127\.0\.0\.1:\d+$/),
    ]);
  });

  it('H3, H7: gets a HelpMaster token as the system', async () => {
    const handOut = await paste(broker, '/tokens/helpdesk/system');
    expect(handOut).toMatchObject({ token_type: 'Bearer', connection: 'helpdesk', subject: 'system', source: 'login' });
    expect(handOut['headers']).toEqual({ Authorization: `Bearer ${String(handOut['access_token'])}` });
  });

  it('H4, H8: gets a HelpMaster token as staff member 88', async () => {
    const handOut = await paste(broker, '/tokens/helpdesk/88');
    expect(handOut).toMatchObject({ token_type: 'Bearer', subject: '88', generation: 1 });
  });

  it('C5 to C11: gets a Community token with its attributes', async () => {
    const handOut = await paste(broker, '/tokens/wfm/system');
    expect(handOut).toMatchObject({
      token_type: 'N_A',
      headers: { WFMSGAPIKEY: handOut['access_token'] },
      attributes: {
        agentId: 4711,
        userRole: 200,
        userRoleName: 'supervisor',
        userName: 'Service, Api D',
        timeZone: 12,
        language: null,
        asOf: handOut['issued_at'],
      },
    });
  });

  it('gets a token by client credentials (RFC 6749 §4.4), and the life that it has left', async () => {
    const handOut = await paste(broker, '/tokens/orders/system');
    expect(handOut).toMatchObject({ token_type: 'Bearer', connection: 'orders', source: 'login', attributes: {} });
    expect(handOut['expires_in']).toBeGreaterThan(880);
    expect(handOut['expires_in']).toBeLessThanOrEqual(895);
  });

  it('opens a call on the API behind the OAuth server, with the token and through the proxy', async () => {
    expect(await paste(broker, `${broker.demo.oauth}/orders`)).toMatchObject({ orders: [{ id: 'A-1001' }] });
    expect(await paste(broker, '/proxy/orders/system/orders')).toMatchObject({ orders: [{ id: 'A-1001' }] });
  });

  it('H6, H8: opens a gated HelpMaster call as staff member 88', async () => {
    expect(await paste(broker, '/jobs/MyOpenJobs')).toMatchObject({ success: true, actingAs: { userid: '88' } });
  });

  it('C14: opens a gated Community call', async () => {
    expect(await paste(broker, '/AgentLogonReport')).toMatchObject({ success: true, actingAs: { agentId: 4711 } });
  });

  it('breaks HelpMaster and mends it, and shows what it was asked', async () => {
    const [breaks, mends] = printedRequests(broker.stdout()).filter((request) => request.includes('-X PUT'));
    const knobs = async (request = ''): Promise<unknown> => JSON.parse((await run('sh', ['-c', request])).stdout);
    expect(await knobs(breaks)).toMatchObject({ loginStatus: 503 });
    expect(await knobs(mends)).toMatchObject({ loginStatus: null });
    expect(await paste(broker, `${broker.demo.helpmaster}/__demo/ledger`)).toMatchObject({
      logins: expect.arrayContaining([expect.objectContaining({ subject: '88', status: 200 })]),
    });
  });

  it('shows the connections and their slots, and no token', async () => {
    expect(await paste(broker, '/connections')).toEqual({
      connections: [
        { name: 'helpdesk', provider: 'helpmaster', lifetime_seconds: 86_400 },
        { name: 'wfm', provider: 'community-web-api', lifetime_seconds: 1200 },
        { name: 'orders', provider: 'oauth-client-credentials-basic', lifetime_seconds: 86_400 },
      ],
    });
    const helpdesk = await paste(broker, '/connections/helpdesk');
    expect(helpdesk['slots']).toEqual([
      expect.objectContaining({ subject: '88', state: 'fresh', last_error: null }),
      expect.objectContaining({ subject: 'system', state: 'fresh', last_error: null }),
    ]);
    expect(JSON.stringify(helpdesk)).not.toContain('eyJ');
    for (const name of ['wfm', 'orders']) {
      expect(await paste(broker, `/connections/${name}`)).toMatchObject({
        slots: [{ subject: 'system', state: 'fresh' }],
      });
    }
  });

  it('exchanges a JWT of the demo issuer for a token (RFC 8693)', async () => {
    expect(await paste(broker, '/oauth2/token')).toMatchObject({ connection: 'helpdesk', subject: 'system' });
  });

  it('shows what who has no token gets while an upstream is broken', async () => {
    const [breaks, mends] = printedRequests(broker.stdout()).filter((request) => request.includes('-X PUT'));
    await run('sh', ['-c', String(breaks)]);
    expect(await paste(broker, '/tokens/helpdesk/42')).toMatchObject({ status: 503, code: 'upstream_unavailable' });
    await run('sh', ['-c', String(mends)]);
    expect(await paste(broker, '/tokens/helpdesk/42')).toMatchObject({ subject: '42', source: 'login' });
  });

  it("H3, H18: leads to HelpMaster's Swagger UI, whose examples log in as they stand", async () => {
    const [, url = ''] = /Swagger UI: (\S+)/.exec(broker.stdout()) ?? [];
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/swagger-ui/i);

    const { example } = helpmasterOpenapi.paths['/User/GetToken/'].post.requestBody.content['application/json'];
    expect(await (await fetch(`${url}/v1/swagger.json`)).json()).toEqual(helpmasterOpenapi);
    expect(example).toEqual({ ...demoHelpmasterSecret, loggedInUserPKID: 88 });
    expect(broker.stdout()).toContain(`its API key is ${demoHelpmasterSecret.apiKey}, a staff member 88`);
    expect(
      await send(`${broker.demo.helpmaster}/user/gettoken`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(example),
      }),
    ).toMatchObject({ status: 200 });
  });
});

describe('the requests that npm start prints with --require-sigv4', async () => {
  const broker = await startBroker(['--require-sigv4']);
  afterAll(() => broker.stop());

  it.each(['/tokens/helpdesk/system', '/tokens/helpdesk/88', '/tokens/wfm/system', '/tokens/orders/system'])(
    'are signed and hand out %s',
    async (path) => {
      expect(await paste(broker, path)).toMatchObject({ generation: 1, source: 'login' });
    },
  );

  it('are refused without their signature, and no login is made', async () => {
    expect(await send(`${broker.url}/tokens/helpdesk/42`)).toMatchObject({
      status: 403,
      json: { code: 'forbidden' },
    });
    const { json } = await send(`${broker.demo.helpmaster}/__demo/ledger`);
    expect(json?.['logins']).not.toContainEqual(expect.objectContaining({ subject: '42' }));
  });
});
