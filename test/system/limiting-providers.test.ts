import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { toast as toastPreset } from '../../functions/providers/presets/toast.ts';
import { send } from '../local/demo/demo-client.ts';
import { type Answer, gistOf, headersOf, slotsOf, tokenOf } from './api-client.ts';
import { startMarketo, startTableau, startToast } from './limiting-upstreams.ts';
import { useStillTime } from './still-time.ts';
import { startSystemUnderTest } from './system-under-test.ts';

/** Calls the vendor's API with what was handed out. */
async function callWith(answer: Answer, baseUrl: string) {
  const { status, text } = await send(`${baseUrl}/api/3.27/views`, { headers: headersOf(answer) });
  return { status, text };
}

describe('Marketo, whose token is the same until its end', async () => {
  const time = useStillTime();
  const client = { id: 'marketo-client', secret: 'marketo-secret' };
  const marketo = await startMarketo(client);
  const late = await startMarketo(client);
  const { id: clientId, secret: clientSecret } = client;
  const system = await startSystemUnderTest({
    connections: {
      leads: { provider: 'marketo', baseUrl: marketo.baseUrl, memorySeconds: 0 },
      late: { provider: 'marketo', baseUrl: late.baseUrl, memorySeconds: 0 },
    },
    secrets: { leads: { clientId, clientSecret }, late: { clientId, clientSecret } },
  });
  afterAll(async () => {
    await system.close();
    await Promise.all([marketo.close(), late.close()]);
  });

  /** Asks once, and lets up to seven seconds pass while the request waits; gives those too. */
  async function askPatiently(): Promise<{ readonly answer: Answer; readonly seconds: number }> {
    const asked = system.api.token('leads', 'system');
    for (let seconds = 0; seconds < 7; seconds += 1) {
      // What does not wait for the end of a token is answered before.
      const answer = await Promise.race([asked, sleep(250)]);
      if (answer !== undefined) return { answer, seconds };
      time.advance({ seconds: 1 });
    }
    return { answer: await asked, seconds: 7 };
  }

  it('is asked once a life, and nobody gets an error, at the end of a life either', async () => {
    let token = '';
    let waited = 0;
    for (let passed = 0; passed < 3 * 3_600; passed += 90) {
      const { answer, seconds } = await askPatiently();
      expect(answer.status).toBe(200);
      waited += seconds;
      if (tokenOf(answer) !== token) expect((await callWith(answer, marketo.baseUrl)).text).toContain('true');
      token = tokenOf(answer);
      await system.controls.sweep();
      await system.controls.drain();
      const toTheEnd = Number(answer.json['expires_in']) + 1;
      // Each life is asked for in its last five seconds too, in which it is not handed out any more.
      time.advance({ seconds: Math.min(90, toTheEnd) });
    }
    expect(waited).toBeGreaterThan(0);
    expect(marketo.logins.length).toBeLessThanOrEqual(4);
    expect(new Set(marketo.statuses)).toEqual(new Set([200]));
    await askPatiently();
    const [slot] = slotsOf(await system.api.connections('leads'));
    expect(slot).toMatchObject({ state: 'fresh', last_error: null });
    expect(system.log()).not.toContain('An attempt to get a token failed');
  });

  it('a report of a good token brings the same again, and the next comes right after its end', async () => {
    const { answer } = await askPatiently();
    const before = marketo.logins.length;
    time.advance({ seconds: 61 });
    const again = await system.api.reject('leads', 'system', tokenOf(answer));
    expect([gistOf(again), tokenOf(again)]).toEqual(['200 login', tokenOf(answer)]);
    expect(marketo.logins.length).toBe(before + 1);
  });

  it('a token that others have used up almost is waited out, and not for longer', async () => {
    late.logInElsewhere();
    time.advance({ seconds: 3_596 });
    const first = await system.api.token('late', 'system');
    expect(gistOf(first)).toBe('502 upstream_token_unusable');
    const seconds = Number(first.headers['retry-after']);
    expect(seconds).toBeLessThanOrEqual(5);
    time.advance({ seconds });
    const second = await system.api.token('late', 'system');
    expect(gistOf(second)).toBe('200 login');
    expect((await callWith(second, late.baseUrl)).text).toContain('true');
    expect(late.logins).toHaveLength(2);
  });
});

describe('Toast, with two logins an hour', async () => {
  const time = useStillTime();
  // A request takes a while to be counted, the first for longer than those after it.
  const travels = (nth: number) => time.advance({ seconds: [3, 1][nth] ?? 0 });
  const client = { id: 'toast-client', secret: 'toast-secret', travels };
  const [own, shared, foreign] = await Promise.all([startToast(client), startToast(client), startToast(client)]);
  const secret = { clientId: client.id, clientSecret: client.secret };
  const [login] = toastPreset.logins.system;
  const system = await startSystemUnderTest({
    providers: {
      // As the preset is, with users, who share the limit.
      'toast-users': {
        ...toastPreset,
        userSubject: { pattern: '[a-z]{1,9}' },
        logins: { system: [login], user: [{ ...login, query: { as: '{subject}' } }] },
      },
    },
    connections: {
      own: { provider: 'toast', baseUrl: own.baseUrl, memorySeconds: 0 },
      shared: { provider: 'toast-users', baseUrl: shared.baseUrl, memorySeconds: 0 },
      foreign: { provider: 'toast', baseUrl: foreign.baseUrl, memorySeconds: 0 },
    },
    secrets: { own: secret, shared: secret, foreign: secret },
  });
  afterAll(async () => {
    await system.close();
    await Promise.all([own, shared, foreign].map((toast) => toast.close()));
  });

  const limitedIn = async (ask: Promise<Answer>): Promise<number> => {
    const answer = await ask;
    expect(gistOf(answer)).toBe('503 login_limited');
    return Number(answer.headers['retry-after']);
  };

  it('a third subject waits with 429 for as long as it says, and then gets a token at the first try', async () => {
    expect(gistOf(await system.api.token('shared', 'system'))).toBe('200 login');
    time.advance({ seconds: 600 });
    expect(gistOf(await system.api.token('shared', 'bar'))).toBe('200 login');
    time.advance({ seconds: 5 });
    const seconds = await limitedIn(system.api.token('shared', 'terrace'));
    expect(seconds).toBeGreaterThan(2_900);
    expect(seconds).toBeLessThanOrEqual(3_000);
    for (const subject of ['terrace', 'kitchen', 'terrace']) await limitedIn(system.api.token('shared', subject));
    expect(shared.statuses).toEqual([200, 200]);
    for (const subject of ['system', 'bar'])
      expect(gistOf(await system.api.token('shared', subject))).toBe('200 cache');

    time.advance({ seconds: seconds - 2 });
    await limitedIn(system.api.token('shared', 'terrace'));
    time.advance({ seconds: 2 });
    expect(gistOf(await system.api.token('shared', 'terrace'))).toBe('200 login');
    await limitedIn(system.api.token('shared', 'kitchen'));
    expect(shared.logins).toEqual(['system', 'bar', 'terrace']);
    // The server, which counts a request when it has come, has had nothing to refuse.
    expect(shared.statuses).toEqual([200, 200, 200]);
  });

  it('the shipped preset: neither reports nor purges make a third login', async () => {
    const first = await system.api.token('own', 'system');
    expect(gistOf(await system.api.reject('own', 'system', tokenOf(first)))).toBe('429 renewal_throttled');
    await system.api.purge('own', 'system');
    expect(gistOf(await system.api.token('own', 'system'))).toBe('200 login');
    for (let n = 0; n < 3; n += 1) {
      await system.api.purge('own', 'system');
      const seconds = await limitedIn(system.api.token('own', 'system'));
      expect(seconds).toBeGreaterThan(3_500);
    }
    expect(own.statuses).toEqual([200, 200]);
  });

  it('where others have used the limit up, the server says so, and that is an outage and no refusal', async () => {
    for (let n = 0; n < 2; n += 1) foreign.logInElsewhere();
    const refused = await system.api.token('foreign', 'system');
    expect(gistOf(refused)).toBe('503 upstream_throttled');
    time.advance({ seconds: 3_600 });
    expect(gistOf(await system.api.token('foreign', 'system'))).toBe('200 login');
    expect(foreign.statuses).toEqual([429, 200]);
  });
});

describe('Tableau, where a new session ends the old one', async () => {
  const time = useStillTime();
  const pat = { name: 'broker', value: 'qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8M' };
  const servers = await Promise.all(Array.from({ length: 3 }, () => startTableau(pat)));
  const [quiet, ended, crowded] = servers;
  const baseUrls = { quiet: quiet?.baseUrl, ended: ended?.baseUrl, crowded: crowded?.baseUrl };
  const connections = Object.entries(baseUrls).map(([name, baseUrl]) => {
    const memorySeconds = name === 'crowded' ? 30 : 0;
    return [name, { provider: 'tableau', baseUrl, memorySeconds }] as const;
  });
  const system = await startSystemUnderTest({
    connections: Object.fromEntries(connections),
    secrets: { quiet: pat, ended: pat, crowded: pat },
  });
  afterAll(async () => {
    await system.close();
    await Promise.all(servers.map((tableau) => tableau.close()));
  });

  it('its token is never refreshed ahead while it is handed out, and each that is handed out works', async () => {
    let logins = 0;
    for (let passed = 0; passed < 2 * 7_200; passed += 60) {
      const answer = await system.api.token('quiet', 'system');
      expect(answer.status).toBe(200);
      expect((await callWith(answer, baseUrls.quiet ?? '')).status).toBe(200);
      // A login comes on the way of a request that nothing could be handed out to.
      expect(quiet?.logins.length).toBe(logins + (gistOf(answer) === '200 login' ? 1 : 0));
      logins = quiet?.logins.length ?? 0;
      const isLast = Number(answer.json['expires_in']) < 120;
      if (!isLast) await system.controls.sweep();
      await system.controls.drain();
      expect(quiet?.logins.length).toBe(logins);
      time.advance({ seconds: 60 });
    }
    expect(logins).toBe(3);
  });

  it('a session that somebody else has ended is reported with its 401, and the next one is good', async () => {
    const answer = await system.api.token('ended', 'system');
    ended?.logInElsewhere();
    expect((await callWith(answer, baseUrls.ended ?? '')).status).toBe(401);
    time.advance({ seconds: 61 });
    const next = await system.api.reject('ended', 'system', tokenOf(answer));
    expect(gistOf(next)).toBe('200 login');
    expect((await callWith(next, baseUrls.ended ?? '')).status).toBe(200);
    expect(ended?.statuses).toEqual([200, 200]);
  });

  it('callers who report what they hold do not end each other’s session in a loop', async () => {
    const first = await system.api.token('crowded', 'system');
    const callers = Array.from({ length: 8 }, () => ({ held: first }));
    crowded?.logInElsewhere();
    time.advance({ seconds: 61 });
    let reports = 0;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        callers.map(async (caller) => {
          if ((await callWith(caller.held, baseUrls.crowded ?? '')).status !== 401) return;
          reports += 1;
          caller.held = await system.api.reject('crowded', 'system', tokenOf(caller.held));
          expect(caller.held.status).toBe(200);
        }),
      );
      time.advance({ seconds: 5 });
    }
    expect(reports).toBe(8);
    expect(crowded?.statuses).toEqual([200, 200]);
    // One that comes late, about the session before.
    expect(gistOf(await system.api.reject('crowded', 'system', tokenOf(first)))).toBe('200 cache');
    expect(crowded?.logins).toHaveLength(2);
  });
});
