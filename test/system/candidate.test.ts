import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { type Ran, tokenBroker } from '../client/command-line.ts';
import { slotsOf, tokenOf } from './api-client.ts';
import { createCanarySearch } from './canary-forms.ts';
import { startOwnBroker } from './own-broker.ts';

const NEXT = { ...demoCommunitySecret, password: 'the-next-canary-5tR8' };
const wrong = (n: number) => ({ ...demoCommunitySecret, password: `a-wrong-canary-${n}-9hQ2` });

describe('a new value of a credential that is tried before it becomes current', async () => {
  // Five bad logins in half an hour lock its account, as many an API’s do.
  const community = await startDemoCommunity({ knobs: { lockAfter: 5 } });
  const wfm = { provider: 'community-web-api', baseUrl: community.baseUrl, memorySeconds: 0 };
  const { broker, api, secretsFile, close } = await startOwnBroker({
    connections: { wfm: { ...wfm, renewalCooldownSeconds: 0 } },
    secrets: { wfm: demoCommunitySecret },
  });
  afterAll(async () => {
    await close();
    await community.close();
  });
  const logins = () => community.ledger().logins.length;
  const check = (value: unknown, ...more: string[]): Promise<Ran> =>
    tokenBroker(['secret', 'set', 'wfm', '--check', ...more], { url: broker.url, stdin: JSON.stringify(value) });
  const inFile = async () => JSON.parse(await readFile(secretsFile, 'utf8')).wfm;
  const credential = async () => (await api.connections('wfm')).json['credential'];

  it('leaves the value that works, its tokens and its file where it is wrong, and costs one login', async () => {
    const token = tokenOf(await api.token('wfm', 'system'));
    const before = logins();
    const { code, stdout, stderr } = await check(wrong(1));

    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain('upstream_credential_rejected');
    expect(stderr).toContain('token-broker/wfm is as it was');
    expect(stderr).toContain('The current one stays in use.');
    expect(createCanarySearch([{ name: 'password', value: wrong(1).password }])(stderr)).toEqual([]);
    expect(logins()).toBe(before + 1);
    expect(tokenOf(await api.token('wfm', 'system'))).toBe(token);
    expect(slotsOf(await api.connections('wfm'))).toMatchObject([{ state: 'fresh', last_error: null }]);
    expect(await inFile()).toEqual(demoCommunitySecret);
    expect(await credential()).toMatchObject({
      standing: 'proven',
      failed_candidate: { code: 'upstream_credential_rejected' },
    });
    expect((await tokenBroker(['status', 'wfm'], { url: broker.url })).stdout).toContain('did not become current');
  });

  it('becomes current where the upstream takes it, by the one login whose token is handed out', async () => {
    community.setKnobs({ credential: NEXT });
    const before = logins();
    const { code, stdout, stderr } = await check(NEXT, '--json');

    expect({ code, stderr: stderr.includes('takes it, and it is current') }).toEqual({ code: 0, stderr: true });
    expect(JSON.parse(stdout)).toEqual({
      connection: 'wfm',
      secret_id: 'token-broker/wfm',
      version_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      set: true,
    });
    expect(await inFile()).toEqual(NEXT);
    expect((await api.token('wfm', 'system')).json).toMatchObject({ generation: 2, source: 'cache' });
    expect(logins()).toBe(before + 1);
    expect(await credential()).toEqual({ standing: 'proven', takes_candidates: true });
  });

  it('says so where the new value is wrong and the old one dead', async () => {
    community.setKnobs({ credential: { ...NEXT, password: 'changed at the upstream' } });
    await api.purge('wfm', 'system');
    expect(await api.token('wfm', 'system')).toMatchObject({ status: 502 });
    const { code, stderr } = await check(wrong(2));

    expect(code).toBe(5);
    expect(stderr).toContain('The current one is refused too');
    const status = await tokenBroker(['status', 'wfm'], { url: broker.url });
    expect(status.stdout).toContain('The current one is refused too');
    expect(await credential()).toMatchObject({ standing: 'refused', failed_candidate: {} });
  });

  it('never locks the account, however often wrong values are tried (invariant 22)', async () => {
    // Two wrong values and the dead one have been refused by now.
    const before = logins();
    for (const n of [3, 4]) {
      const { code, stderr } = await check(wrong(n), '--timeout', '2');
      expect(code).toBe(5);
      expect(stderr).toMatch(/cooldown, again in \d+ s/);
      expect(stderr).toContain('token-broker/wfm is as it was');
    }
    expect(logins()).toBe(before);
  });
});
