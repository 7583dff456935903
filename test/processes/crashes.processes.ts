import { afterAll, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { type Answer, type ApiClient, gistOf, tokenOf } from '../system/api-client.ts';
import { waitUntil } from '../system/wait-until.ts';
import { startHoldingProxy } from './holding-proxy.ts';
import { openSharedBrokers } from './shared-brokers.ts';

/** The back-off that was written with the lease, 30 s, and a few seconds for a busy machine. */
const SERVED_AGAIN_WITHIN_MS = 60_000;
const BACK_OFF_MS = 30_000;

/** Asks until there is a token; gives it, what was met on the way, and how long it took. */
async function askUntilServed(api: ApiClient, subject: string) {
  const began = performance.now();
  const met = new Set<string>();
  const look = async (): Promise<Answer | undefined> => {
    const got = await api.token('helpdesk', subject);
    if (got.status === 200) return got;
    met.add(`${gistOf(got)} ${String(got.json['cause'] ?? '')}`.trim());
    return undefined;
  };
  const answer = await waitUntil('token', look, { withinMs: SERVED_AGAIN_WITHIN_MS });
  return { answer, met, tookMs: performance.now() - began };
}

describe.concurrent('a broker process that dies or freezes while it holds a lease', async () => {
  // The ledger has a login before its answer leaves: in between, it counted and nobody knows the token.
  const upstream = await startDemoHelpmaster({ knobs: { delayLoginMs: 700, staff: ['1', '2', '3', '4', '5'] } });
  const shared = await openSharedBrokers({
    connections: {
      helpdesk: { provider: 'helpmaster', baseUrl: upstream.baseUrl, timeoutSeconds: 2, memorySeconds: 0 },
    },
    secrets: { helpdesk: demoHelpmasterSecret },
  });
  // Once the version is proven, no slot waits for the login of another that died on the way.
  const prover = await shared.start();
  expect(gistOf(await prover.api.token('helpdesk', 'system'))).toBe('200 login');
  await prover.broker.stop();
  const loginsOf = (subject: string) => upstream.ledger().logins.filter((login) => login.subject === subject).length;
  const loggedIn = (subject: string) => waitUntil('login', () => (loginsOf(subject) > 0 ? true : undefined));
  afterAll(async () => {
    await shared.close();
    await upstream.close();
  });

  it('invariants 4, 6, 18: SIGKILL between login and publish costs one more login, after its back-off, by itself', async () => {
    const [victim, other] = await shared.startMany(2);
    if (victim === undefined || other === undefined) throw new Error('there are two brokers');
    const unanswered = victim.api.token('helpdesk', '1').catch(() => 'died');
    await loggedIn('1');
    await victim.broker.stop('SIGKILL');
    expect(await unanswered).toBe('died');

    const { answer, met, tookMs } = await askUntilServed(other.api, '1');
    expect(gistOf(answer)).toBe('200 login');
    expect([...met].sort()).toEqual([
      '503 cooldown upstream_outcome_unknown',
      ...(met.has('503 refresh_in_progress') ? ['503 refresh_in_progress'] : []),
    ]);
    expect(tookMs).toBeGreaterThan(BACK_OFF_MS - 5_000);
    expect(loginsOf('1')).toBe(2);
    // A later process opens what the other stored (the key is shared), and logs in for nothing.
    const later = await shared.start();
    const kept = await later.api.token('helpdesk', '1');
    expect(gistOf(kept)).toBe('200 cache');
    expect(tokenOf(kept)).toBe(tokenOf(answer));
    expect(loginsOf('1')).toBe(2);
  });

  it('invariants 3, 7: a holder that was frozen, and thaws after another took over, puts nothing in its place', async () => {
    const [frozen, other] = await shared.startMany(2);
    if (frozen === undefined || other === undefined) throw new Error('there are two brokers');
    const late = frozen.api.token('helpdesk', '2').catch(() => undefined);
    await loggedIn('2');
    frozen.broker.signal('SIGSTOP');

    const { answer } = await askUntilServed(other.api, '2');
    expect(answer.json).toMatchObject({ source: 'login', generation: 1 });
    expect(loginsOf('2')).toBe(2);

    frozen.broker.signal('SIGCONT');
    // Its own caller gets the token that is current, or an error; never the one that came too late.
    const own = await late;
    if (own?.status === 200) expect(tokenOf(own)).toBe(tokenOf(answer));
    for (const { api } of [frozen, other]) {
      const after = await api.token('helpdesk', '2');
      expect(after.json).toMatchObject({ source: 'cache', generation: 1 });
      expect(tokenOf(after)).toBe(tokenOf(answer));
    }
    expect(loginsOf('2')).toBe(2);
  });

  it('invariant 7: a publication that arrives after another took over changes nothing', async () => {
    const proxy = await startHoldingProxy(shared.endpoint);
    const frozen = await shared.start(proxy.endpoint);
    const other = await shared.start();
    const late = frozen.api.token('helpdesk', '4').catch(() => undefined);
    await loggedIn('4');
    proxy.hold();
    await waitUntil('publication', () => (proxy.held().some((body) => body.includes('tokenHash')) ? true : undefined));
    frozen.broker.signal('SIGSTOP');

    const { answer } = await askUntilServed(other.api, '4');
    expect(answer.json).toMatchObject({ source: 'login', generation: 1 });
    expect(new Set(await proxy.release())).toEqual(new Set([400]));
    const after = await other.api.token('helpdesk', '4');
    expect(after.json).toMatchObject({ source: 'cache', generation: 1 });
    expect(tokenOf(after)).toBe(tokenOf(answer));

    frozen.broker.signal('SIGCONT');
    const own = await late;
    if (own?.status === 200) expect(tokenOf(own)).toBe(tokenOf(answer));
    expect(tokenOf(await frozen.api.token('helpdesk', '4'))).toBe(tokenOf(answer));
    expect(loginsOf('4')).toBe(2);
    await frozen.broker.stop();
    await proxy.close();
  });

  it('invariant 11: callers with a good token notice nothing of a process that was killed', async () => {
    const [victim, other] = await shared.startMany(2);
    if (victim === undefined || other === undefined) throw new Error('there are two brokers');
    const first = await victim.api.token('helpdesk', '3');
    await victim.broker.stop('SIGKILL');

    const answers = await Promise.all(Array.from({ length: 20 }, () => other.api.token('helpdesk', '3')));
    expect(new Set(answers.map(gistOf))).toEqual(new Set(['200 cache']));
    expect(new Set(answers.map(tokenOf))).toEqual(new Set([tokenOf(first)]));
    expect(loginsOf('3')).toBe(1);
  });
});
