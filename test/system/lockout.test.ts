import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { type Answer, gistOf, slotsOf, tokenOf } from './api-client.ts';
import { type OwnBroker, startOwnBroker } from './own-broker.ts';
import { waitUntil } from './wait-until.ts';

// A process of its own starts slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const WRONG_KEY = 'a-key-that-helpmaster-does-not-know';
const REFUSED = '502 upstream_credential_rejected';
/** Invariant 5: a new version is tried within 10 s of a request; the rest is for asking and logging in. */
const HEALS_WITHIN_MS = 10_000 + 4_000;

/** Asks as a caller would, every now and then, until there is a token; gives the codes met on the way. */
async function askUntilServed(ask: () => Promise<Answer>): Promise<ReadonlySet<string>> {
  const met = new Set<string>();
  await waitUntil('token', HEALS_WITHIN_MS, async () => {
    const answer = await ask();
    if (answer.status === 200) return answer;
    met.add(gistOf(answer));
    return undefined;
  });
  return met;
}

describe.concurrent('a credential that the upstream refuses', () => {
  let helpmaster: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let community: Awaited<ReturnType<typeof startDemoCommunity>>;
  let threeRefused: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let rotated: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let own: OwnBroker;
  const atFirst = {
    wfm: { ...demoCommunitySecret, password: 'wrong' },
    helpdesk: { apiKey: WRONG_KEY },
    several: { apiKey: WRONG_KEY },
    rotated: demoHelpmasterSecret,
  };
  let secrets: Record<string, Readonly<Record<string, string>>> = atFirst;

  beforeAll(async () => {
    // An account that would lock at the second wrong login.
    community = await startDemoCommunity({ knobs: { lockAfter: 2 } });
    helpmaster = await startDemoHelpmaster({ knobs: { lockAfter: 2 } });
    threeRefused = await startDemoHelpmaster({ knobs: { staff: ['1', '2', '3', '4', '5'] } });
    rotated = await startDemoHelpmaster();
    own = await startOwnBroker({
      connections: {
        wfm: { provider: 'community-web-api', baseUrl: community.baseUrl },
        helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl },
        several: { provider: 'helpmaster', baseUrl: threeRefused.baseUrl },
        rotated: {
          provider: 'helpmaster',
          baseUrl: rotated.baseUrl,
          memorySeconds: 0,
          renewalCooldownSeconds: 0,
        },
      },
      secrets,
      flags: ['--refresh-every', '1'],
    });
  });
  afterAll(async () => {
    await own.close();
    await Promise.all([community, helpmaster, threeRefused, rotated].map((upstream) => upstream.close()));
  });

  /** Mends one connection in the secrets file and leaves the others as they are. */
  async function mend(connection: string, value: Readonly<Record<string, string>>): Promise<void> {
    secrets = { ...secrets, [connection]: value };
    await own.writeSecrets(secrets);
  }

  it('C12, C13, invariant 5: a wrong password is sent once and never again, and a mended one serves within 10 s', async () => {
    const first = await Promise.all(Array.from({ length: 50 }, () => own.api.token('wfm', 'system')));
    expect(new Set(first.map(gistOf))).toEqual(new Set([REFUSED]));
    expect(community.ledger().logins).toHaveLength(1);

    // Past the 10 s between two looks at the secret, so that a look has come to nothing too.
    const until = performance.now() + 11_000;
    const met = new Set<string>();
    await waitUntil('end of the looks', 15_000, async () => {
      met.add(gistOf(await own.api.token('wfm', 'system')));
      return performance.now() > until ? true : undefined;
    });
    expect(met).toEqual(new Set([REFUSED]));
    expect(community.ledger().logins).toHaveLength(1);
    expect(slotsOf(await own.api.connections('wfm'))).toMatchObject([
      { state: 'cooldown', last_error: { code: 'upstream_credential_rejected' } },
    ]);

    await mend('wfm', demoCommunitySecret);
    expect(
      [...(await askUntilServed(() => own.api.token('wfm', 'system')))].filter((gist) => gist !== REFUSED),
    ).toEqual([]);
    expect(community.ledger().logins.map(({ status }) => status)).toEqual([200, 200]);
    expect(slotsOf(await own.api.connections('wfm'))).toMatchObject([{ state: 'fresh', last_error: null }]);
  });

  it('H21, invariant 5: a wrong key is sent once, and its refusal says how long until the next look', async () => {
    const first = await own.api.token('helpdesk', 'system');
    expect(gistOf(first)).toBe(REFUSED);
    expect(first.json['detail']).toContain('helpdesk');
    const second = await own.api.token('helpdesk', 'system');
    expect(gistOf(second)).toBe(REFUSED);
    expect(Number(second.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(second.headers['retry-after'])).toBeLessThanOrEqual(10);
    expect(helpmaster.ledger().logins).toMatchObject([{ subject: 'system', status: 401 }]);

    await mend('helpdesk', demoHelpmasterSecret);
    await askUntilServed(() => own.api.token('helpdesk', 'system'));
    expect(helpmaster.ledger().logins.map(({ status }) => status)).toEqual([401, 200]);
  });

  it('invariant 5: three slots refused stop the logins of the connection, until its secret changes', async () => {
    for (const subject of ['1', '2', '3']) expect(gistOf(await own.api.token('several', subject))).toBe(REFUSED);
    for (const subject of ['4', '5', 'system']) expect(gistOf(await own.api.token('several', subject))).toBe(REFUSED);
    expect(threeRefused.ledger().logins.map(({ subject }) => subject)).toEqual(['1', '2', '3']);

    await mend('several', demoHelpmasterSecret);
    for (const subject of ['4', '1', 'system']) await askUntilServed(() => own.api.token('several', subject));
  });

  it('H8, H16, invariant 5: a rotation leaves a good token in place, and the next login takes the new key', async () => {
    const first = await own.api.token('rotated', '88');
    rotated.setKnobs({ credential: { apiKey: 'the-next-key' } });
    await mend('rotated', { apiKey: 'the-next-key' });
    await waitUntil('sign of the rotation', 3_000, () =>
      /A secret has a new version.*"connection":"rotated"|"connection":"rotated".*A secret has a new version/.test(
        own.broker.stderr(),
      )
        ? true
        : undefined,
    );
    expect(gistOf(await own.api.token('rotated', '88'))).toBe('200 cache');
    expect(rotated.ledger().logins).toHaveLength(1);

    // The copy of the secret that minted the token may be sent once more; then it is never sent again.
    const met = await askUntilServed(() => own.api.reject('rotated', '88', tokenOf(first)));
    expect([...met].filter((gist) => gist !== REFUSED)).toEqual([]);
    const statuses = rotated.ledger().logins.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  });
});

describe('a secrets file that breaks while it is in use', () => {
  let upstream: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let own: OwnBroker;

  beforeAll(async () => {
    upstream = await startDemoHelpmaster();
    own = await startOwnBroker({
      connections: {
        helpdesk: { provider: 'helpmaster', baseUrl: upstream.baseUrl },
      },
      secrets: { helpdesk: demoHelpmasterSecret },
    });
  });
  afterAll(async () => {
    await own.close();
    await upstream.close();
  });

  it('is not taken up: the place is named, and the values from before stay', async () => {
    await own.writeSecrets({ helpdesk: { apiKey: '' } });
    await waitUntil('complaint', 5_000, () =>
      own.broker.stderr().includes('$.helpdesk.apiKey is empty') ? true : undefined,
    );
    expect(own.broker.stderr()).toContain('The values from before stay in use.');
    expect(gistOf(await own.api.token('helpdesk', '42'))).toBe('200 login');
  });
});
