import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { gistOf, tokenOf } from './api-client.ts';
import { makeFolder, type SecretValues, startOwnBroker } from './own-broker.ts';
import { type SystemUnderTest, startSystemUnderTest } from './system-under-test.ts';

let helpmaster: Awaited<ReturnType<typeof startDemoHelpmaster>>;
let community: Awaited<ReturnType<typeof startDemoCommunity>>;
let folder: Awaited<ReturnType<typeof makeFolder>>;
const secrets = { helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret };

beforeEach(async () => {
  folder = await makeFolder();
  helpmaster = await startDemoHelpmaster();
  community = await startDemoCommunity();
});
afterEach(async () => {
  await Promise.all([helpmaster.close(), community.close()]);
  await folder.remove();
});

const connections = () => ({
  helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl },
  wfm: { provider: 'community-web-api', baseUrl: community.baseUrl },
});

/** Starts a broker in this process that keeps its store in the folder. */
function start(values: SecretValues = secrets): Promise<SystemUnderTest> {
  return startSystemUnderTest({ connections: connections(), secrets: values, flags: ['--data', folder.path] });
}

async function handOuts({ api }: SystemUnderTest) {
  return Promise.all([api.token('helpdesk', 'system'), api.token('helpdesk', '88'), api.token('wfm', 'system')]);
}

it('--data keeps the tokens across starts: no second login', async () => {
  const one = await start();
  const before = await handOuts(one);
  expect(before.map(gistOf)).toEqual(['200 login', '200 login', '200 login']);
  await one.close();

  const other = await start();
  const after = await handOuts(other);
  await other.close();
  expect(after.map(gistOf)).toEqual(['200 cache', '200 cache', '200 cache']);
  expect(after.map(tokenOf)).toEqual(before.map(tokenOf));
  expect(after[2]?.json['attributes']).toEqual(before[2]?.json['attributes']);
  expect(helpmaster.ledger().logins).toHaveLength(2);
  expect(community.ledger().logins).toHaveLength(1);
});

it('--data keeps what was published before the process was killed', async () => {
  const one = await startOwnBroker({ connections: connections(), secrets, flags: ['--data', folder.path] });
  await one.api.token('helpdesk', '88');
  await one.broker.stop('SIGKILL');
  await one.close();

  const other = await start();
  expect(gistOf(await other.api.token('helpdesk', '88'))).toBe('200 cache');
  await other.close();
  expect(helpmaster.ledger().logins).toHaveLength(1);
});

it('invariant 5: --data keeps a refusal, so a new start is no new wrong login', async () => {
  const wrong = { ...secrets, wfm: { ...demoCommunitySecret, password: 'wrong' } };
  const one = await start(wrong);
  expect(gistOf(await one.api.token('wfm', 'system'))).toBe('502 upstream_credential_rejected');
  await one.close();

  const other = await start(wrong);
  expect(gistOf(await other.api.token('wfm', 'system'))).toBe('502 upstream_credential_rejected');
  await other.close();
  expect(community.ledger().logins).toHaveLength(1);

  const mended = await start();
  await mended.api.purge('wfm', 'system');
  expect(gistOf(await mended.api.token('wfm', 'system'))).toBe('200 login');
  await mended.close();
});

it('without its key the kept tokens do not decrypt, and each slot logs in afresh', async () => {
  const one = await start();
  await one.api.token('helpdesk', '88');
  await one.close();
  const [key = ''] = (await readdir(folder.path)).filter((name) => name.endsWith('.key'));
  expect((await stat(join(folder.path, key))).mode & 0o077).toBe(0);
  await rm(join(folder.path, key));

  const other = await start();
  const after = await other.api.token('helpdesk', '88');
  await other.close();
  expect(after.json).toMatchObject({ source: 'login', generation: 2 });
});

it('without --data everything is gone with the broker', async () => {
  for (const logins of [1, 2]) {
    const own = await startSystemUnderTest({ connections: connections(), secrets });
    expect(gistOf(await own.api.token('helpdesk', '88'))).toBe('200 login');
    await own.close();
    expect(helpmaster.ledger().logins).toHaveLength(logins);
  }
});

describe('--data, with the demo', () => {
  const paths = ['wfm/system/AgentLogonReport', 'helpdesk/88/jobs/MyOpenJobs', 'orders/system/orders'];
  const startDemo = () => startSystemUnderTest({ flags: ['--data', folder.path] });
  const callAll = (system: SystemUnderTest) =>
    Promise.all(paths.map(async (path) => (await fetch(`${system.url}/proxy/${path}`)).status));

  it('keeps it whole: tokens of the start before are handed out, and good, with no login', async () => {
    const one = await startDemo();
    const tokens = () =>
      Promise.all(paths.map((path) => one.api.token(path.split('/')[0] ?? '', path.split('/')[1] ?? '')));
    expect((await tokens()).map(gistOf)).toEqual(['200 login', '200 login', '200 login']);
    await one.close();

    const other = await startDemo();
    expect(await callAll(other)).toEqual([200, 200, 200]);
    const { helpmaster: first, community: second, oauth } = other.demo ?? {};
    expect([first, second, oauth].map((upstream) => upstream?.ledger().logins.length)).toEqual([0, 0, 0]);
    await other.close();
  });

  it('knows after a start which tokens the upstream has ended', async () => {
    const one = await startDemo();
    const orders = await one.api.token('orders', 'system');
    one.demo?.oauth.setKnobs({ revokeIssued: true });
    await one.close();

    const other = await startDemo();
    const headers = orders.json['headers'] as Record<string, string>;
    expect((await fetch(`${other.demo?.oauth.url}/orders`, { headers })).status).toBe(401);
    await other.close();
  });

  it('says which upstream has lost its port, and goes on with another', async () => {
    const one = await startDemo();
    await one.api.token('wfm', 'system');
    const port = Number(new URL(one.demo?.community.url ?? '').port);
    await one.close();

    const squatter = await startDemoCommunity({ port });
    const other = await startDemo();
    expect(other.log()).toContain(`warning: port ${port} of the demo community is taken`);
    expect(gistOf(await other.api.token('wfm', 'system'))).toBe('200 login');
    await Promise.all([other.close(), squatter.close()]);
  });

  it('refuses a file that is not the demo’s', async () => {
    await writeFile(join(folder.path, 'demo.json'), '{"ports":{}}');
    await expect(startDemo()).rejects.toThrow(/demo\.json is not what the demo upstreams keep/);
  });
});
