import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { createCanarySearch } from '../system/canary-forms.ts';
import { problem, startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';
import { startLocalBroker } from './local-broker.ts';

const [broker, stub] = await Promise.all([startLocalBroker(), startStub()]);
afterAll(() => Promise.all([broker.close(), stub.close()]));

const here = (args: string, surroundings = {}) => tokenBroker(args.split(' '), { url: broker.url, ...surroundings });

describe('try', () => {
  it('shows the login step by step, its token’s end and what a call carries, and publishes it', async () => {
    const since = await broker.counting('community');
    const { code, stdout, stderr } = await here('try wfm');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('wfm/system, provider community-web-api');
    expect(stdout).toContain(`1. POST ${broker.community.baseUrl}/AuthenticateEx`);
    expect(stdout).toContain('   < 200');
    expect(stdout).toMatch(/\{token\} from \S+ \S+: text, \d+ characters/);
    expect(stdout).toContain('judged by status: ok');
    expect(stdout).toMatch(/The token: \d+ characters, until \S+Z\n {2}end by \S+: /);
    expect(stdout).toContain('an API call carries WFMSGAPIKEY: {token}');
    expect(stdout).toMatch(/published as generation \d+\n$/);
    expect(await since()).toMatchObject({ logins: 1 });

    const token = (await here('token wfm')).stdout.trim();
    expect(await since()).toMatchObject({ logins: 1 });
    const search = createCanarySearch([
      { name: 'token', value: token },
      { name: 'password', value: demoCommunitySecret.password },
    ]);
    expect(search(stdout)).toEqual([]);
  });

  it('gives programs the broker’s answer', async () => {
    const { code, stdout } = await here('try helpdesk -s 88 --json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      connection: 'helpdesk',
      subject: '88',
      steps: [{ request: { method: 'POST' }, answer: { status: 200 } }],
      result: { outcome: 'published' },
    });
  });

  it('shows how a failure was judged, and ends with 5', async () => {
    await broker.turn('helpmaster', { loginStatus: 503 });
    const { code, stdout } = await here('try helpdesk --subject 42');
    await broker.turn('helpmaster', { loginStatus: 200 });
    expect(code).toBe(5);
    expect(stdout).toContain('judged by status: upstream_unavailable');
    expect(stdout).toMatch(/failed: .*\(upstream_unavailable, again in \d+ s\)\n$/);
    expect(await here('try helpdesk --subject 42')).toMatchObject({ code: 5, stdout: '' });
  });

  it('is sent once, whatever the answer', async () => {
    stub.answer(problem(503, 'mint_unavailable'));
    expect(await tokenBroker(['try', 'wfm'], { url: stub.url })).toMatchObject({ code: 5 });
    expect(stub.requests).toHaveLength(1);
    expect(stub.requests[0]).toMatchObject({
      method: 'POST',
      target: '/connections/wfm/try',
      body: '{"subject":"system"}',
    });
  });

  it('needs both files, that are there, to try before a deployment', async () => {
    expect(await here('try wfm --connections c.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('belong together'),
    });
    expect(await here('try wfm --connections c.json --secrets s.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file'),
    });
  });

  it('tells of a wrong name or subject before anything is sent', async () => {
    expect(await here('try NOWHERE')).toMatchObject({ code: 2 });
    expect(await here('try wfm -s ../x')).toMatchObject({ code: 2 });
    expect(await here('try nowhere')).toMatchObject({ code: 3 });
  });
});
