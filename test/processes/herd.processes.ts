import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { type Answer, gistOf, tokenOf } from '../system/api-client.ts';
import { runBroker } from '../system/broker-process.ts';
import { makeFolder } from '../system/own-broker.ts';
import { waitUntil } from '../system/wait-until.ts';
import { openSharedBrokers, type SharedBroker } from './shared-brokers.ts';

const PROCESSES = 3;
const CALLERS_EACH = 60;
const STAFF = Array.from({ length: 12 }, (_, index) => String(index + 1));
const LIFE_SECONDS = 12;

const helpmaster = await startDemoHelpmaster({ knobs: { delayLoginMs: 300, staff: STAFF } });
const community = await startDemoCommunity({ knobs: { lifetimeSeconds: LIFE_SECONDS } });
const shared = await openSharedBrokers({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, renewalCooldownSeconds: 0, memorySeconds: 0 },
    // Due after about 3 s, good for 7.
    wfm: {
      provider: 'community-web-api',
      baseUrl: community.baseUrl,
      lifetimeSeconds: LIFE_SECONDS,
      refreshAfter: 0.25,
      minTtlSeconds: 0,
      memorySeconds: 0,
    },
  },
  secrets: { helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret },
  flags: ['--refresh-every', '1'],
});
const brokers = await shared.startMany(PROCESSES);
afterAll(async () => {
  await shared.close();
  await Promise.all([helpmaster.close(), community.close()]);
});

/** Every process asked by so many callers at once. */
function fromAll(each: number, ask: (broker: SharedBroker, index: number) => Promise<Answer>) {
  return Promise.all(brokers.flatMap((broker) => Array.from({ length: each }, (_, index) => ask(broker, index))));
}

describe('a herd over several processes', () => {
  it('invariants 3, 4: callers of all processes at once cost one login', async () => {
    const answers = await fromAll(CALLERS_EACH, ({ api }) => api.token('helpdesk', 'system'));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    expect(helpmaster.ledger().logins).toHaveLength(1);
  });

  it('invariant 16: callers of all processes that report the dead token at once cost one more', async () => {
    const [first] = await fromAll(1, ({ api }) => api.token('helpdesk', 'system'));
    if (first === undefined) throw new Error('there is a broker');
    const dead = tokenOf(first);
    helpmaster.clearLedger();
    const answers = await fromAll(CALLERS_EACH, ({ api }) => api.reject('helpdesk', 'system', dead));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ json }) => json['generation']))).toEqual(new Set([2]));
    expect(answers.map(tokenOf)).not.toContain(dead);
    expect(helpmaster.ledger().logins).toHaveLength(1);
  });

  it('invariants 3, 8: many slots at once from all processes cost one login each, and none is mixed up', async () => {
    helpmaster.clearLedger();
    const subjectOf = (index: number) => STAFF[index % STAFF.length] ?? '';
    const answers = await fromAll(STAFF.length * 3, ({ api }, index) => api.token('helpdesk', subjectOf(index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const pairs = new Set(answers.map((answer) => `${String(answer.json['subject'])} ${tokenOf(answer)}`));
    expect(pairs.size).toBe(STAFF.length);
    expect(
      helpmaster
        .ledger()
        .logins.map(({ subject }) => subject)
        .sort(),
    ).toEqual([...STAFF].sort());
  });

  it('invariants 4, 7: with a schedule in each process every generation costs one login, and nobody waits', async () => {
    const [broker] = brokers;
    if (broker === undefined) throw new Error('there is a broker');
    expect(gistOf(await broker.api.token('wfm', 'system'))).toBe('200 login');
    const generations: number[] = [];
    await waitUntil('fourth generation', async () => {
      const answers = await fromAll(1, ({ api }) => api.token('wfm', 'system'));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ json }) => json['source']))).toEqual(new Set(['cache']));
      generations.push(Math.max(...answers.map(({ json }) => Number(json['generation']))));
      return Number(generations.at(-1)) >= 4 ? true : undefined;
    });
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
    const status = await broker.api.connections('wfm');
    expect(JSON.stringify(status.json)).toContain('"generation":');
    expect(community.ledger().logins.length).toBeLessThanOrEqual(Number(generations.at(-1)) + 1);
  });
});

describe('--dynamodb', () => {
  it('refuses a data folder with another key than the table has, with exit 2', async () => {
    const folder = await makeFolder();
    const flags = shared.flags.map((flag, index) =>
      shared.flags[index - 1] === '--data' ? join(folder.path, 'other') : flag,
    );
    const { code, stderr } = await runBroker(['--port', '0', ...flags]);
    await folder.remove();
    expect(code).toBe(2);
    expect(stderr).toContain('belong to another key');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
