import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { type Answer, gistOf, slotsOf, tokenOf } from './api-client.ts';
import { startOwnBroker } from './own-broker.ts';
import { useStillTime } from './still-time.ts';
import { startSystemUnderTest } from './system-under-test.ts';
import { waitUntil } from './wait-until.ts';

const WRONG_KEY = 'a-key-that-helpmaster-does-not-know';
const REFUSED = '502 upstream_credential_rejected';
/** Invariant 5: a new version is tried within 10 s of a request; the last second is for asking. */
const HEALS_WITHIN_SECONDS = 11;

describe('a credential that the upstream refuses', async () => {
  const time = useStillTime();
  // An account that would lock at the second wrong login.
  const community = await startDemoCommunity({ knobs: { lockAfter: 2 } });
  const helpmaster = await startDemoHelpmaster({ knobs: { lockAfter: 2 } });
  const twoRefused = await startDemoHelpmaster({ knobs: { staff: ['1', '2', '3', '4', '5'] } });
  const rotated = await startDemoHelpmaster();
  const system = await startSystemUnderTest({
    connections: {
      wfm: { provider: 'community-web-api', baseUrl: community.baseUrl },
      helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl },
      several: { provider: 'helpmaster', baseUrl: twoRefused.baseUrl },
      rotated: {
        provider: 'helpmaster',
        baseUrl: rotated.baseUrl,
        memorySeconds: 0,
        renewalCooldownSeconds: 0,
      },
    },
    secrets: {
      wfm: { ...demoCommunitySecret, password: 'wrong' },
      helpdesk: { apiKey: WRONG_KEY },
      several: { apiKey: WRONG_KEY },
      rotated: demoHelpmasterSecret,
    },
  });
  afterAll(async () => {
    await system.close();
    await Promise.all([community, helpmaster, twoRefused, rotated].map((upstream) => upstream.close()));
  });

  /** Asks each second, as callers would while the schedule runs, until there is a token; gives the codes met on the way. */
  async function askUntilServed(ask: () => Promise<Answer>): Promise<ReadonlySet<string>> {
    const met = new Set<string>();
    for (let second = 0; second < HEALS_WITHIN_SECONDS; second += 1) {
      const answer = await ask();
      if (answer.status === 200) return met;
      met.add(gistOf(answer));
      await passASecond();
    }
    throw new Error(`Within ${HEALS_WITHIN_SECONDS} s there was no token, but ${[...met].join(', ')}.`);
  }

  async function passASecond(): Promise<void> {
    time.advance({ seconds: 1 });
    await system.controls.sweep();
    await system.controls.drain();
  }

  it('C12, C13, invariant 5: a wrong password is sent once and never again, and a mended one serves within 10 s', async () => {
    const first = await Promise.all(Array.from({ length: 50 }, () => system.api.token('wfm', 'system')));
    expect(new Set(first.map(gistOf))).toEqual(new Set([REFUSED]));
    expect(community.ledger().logins).toHaveLength(1);

    // Past the 10 s between two looks at the secret, so that a look has come to nothing too.
    const met = new Set<string>();
    for (let second = 0; second < 11; second += 1) {
      await passASecond();
      met.add(gistOf(await system.api.token('wfm', 'system')));
    }
    expect(met).toEqual(new Set([REFUSED]));
    expect(community.ledger().logins).toHaveLength(1);
    expect(slotsOf(await system.api.connections('wfm'))).toMatchObject([
      { state: 'cooldown', last_error: { code: 'upstream_credential_rejected' } },
    ]);

    system.secrets.put('wfm', demoCommunitySecret);
    expect(
      [...(await askUntilServed(() => system.api.token('wfm', 'system')))].filter((gist) => gist !== REFUSED),
    ).toEqual([]);
    expect(community.ledger().logins.map(({ status }) => status)).toEqual([200, 200]);
    expect(slotsOf(await system.api.connections('wfm'))).toMatchObject([{ state: 'fresh', last_error: null }]);
  });

  it('H21, invariant 5: a wrong key is sent once, and its refusal says how long until the next look', async () => {
    const first = await system.api.token('helpdesk', 'system');
    expect(gistOf(first)).toBe(REFUSED);
    expect(first.json['detail']).toContain('helpdesk');
    const second = await system.api.token('helpdesk', 'system');
    expect(gistOf(second)).toBe(REFUSED);
    expect(Number(second.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(second.headers['retry-after'])).toBeLessThanOrEqual(10);
    expect(helpmaster.ledger().logins).toMatchObject([{ subject: 'system', status: 401 }]);

    system.secrets.put('helpdesk', demoHelpmasterSecret);
    await askUntilServed(() => system.api.token('helpdesk', 'system'));
    expect(helpmaster.ledger().logins.map(({ status }) => status)).toEqual([401, 200]);
  });

  it('invariant 5: a user and the system refused stop the logins of the connection, until its secret changes', async () => {
    for (const subject of ['1', '2', '3']) expect(gistOf(await system.api.token('several', subject))).toBe(REFUSED);
    for (const subject of ['4', '5', 'system'])
      expect(gistOf(await system.api.token('several', subject))).toBe(REFUSED);
    expect(twoRefused.ledger().logins.map(({ subject }) => subject)).toEqual(['1', 'system']);

    system.secrets.put('several', demoHelpmasterSecret);
    for (const subject of ['4', '1', 'system']) await askUntilServed(() => system.api.token('several', subject));
  });

  it('H8, H16, invariant 5: a rotation leaves a good token in place, and the next login takes the new key', async () => {
    const first = await system.api.token('rotated', '88');
    rotated.setKnobs({ credential: { apiKey: 'the-next-key' } });
    system.secrets.put('rotated', { apiKey: 'the-next-key' });
    await waitUntil('sign of the rotation', () =>
      /A secret has a new version.*"connection":"rotated"|"connection":"rotated".*A secret has a new version/.test(
        system.log(),
      )
        ? true
        : undefined,
    );
    expect(gistOf(await system.api.token('rotated', '88'))).toBe('200 cache');
    expect(rotated.ledger().logins).toHaveLength(1);

    // The copy of the secret that minted the token may be sent once more; then it is never sent again.
    const met = await askUntilServed(() => system.api.reject('rotated', '88', tokenOf(first)));
    expect([...met].filter((gist) => gist !== REFUSED)).toEqual([]);
    const statuses = rotated.ledger().logins.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  });
});

describe('a secrets file that changes while it is in use', async () => {
  const upstream = await startDemoHelpmaster();
  const connection = { provider: 'helpmaster', baseUrl: upstream.baseUrl };
  const own = await startOwnBroker({
    connections: { helpdesk: connection, other: connection },
    secrets: { helpdesk: demoHelpmasterSecret, other: demoHelpmasterSecret },
  });
  afterAll(async () => {
    await own.close();
    await upstream.close();
  });

  const isPrinted = (text: string) => () => (own.broker.stderr().includes(text) ? true : undefined);

  it('is not taken up while it is broken: the place is named, and the values from before stay', async () => {
    await own.writeSecrets({ helpdesk: { apiKey: '' }, other: demoHelpmasterSecret });
    await waitUntil('complaint', isPrinted('$.helpdesk.apiKey is empty'));
    expect(own.broker.stderr()).toContain('The values from before stay in use.');
    expect(gistOf(await own.api.token('helpdesk', '42'))).toBe('200 login');
  });

  it('is a rotation once it is mended, and the next login takes the new value', async () => {
    const next = { apiKey: 'the-next-key' };
    upstream.setKnobs({ credential: next });
    await own.writeSecrets({ helpdesk: next, other: next });
    await waitUntil('sign of the rotation', isPrinted('A secret has a new version'));
    expect(gistOf(await own.api.token('other', '42'))).toBe('200 login');
  });
});
