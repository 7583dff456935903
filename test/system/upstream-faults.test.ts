import { createServer } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import type { DemoUpstream } from '../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import type { CommonKnobs } from '../../local/demo/knobs.ts';
import { demoOAuthSecret, type OAuthKnobs, startDemoOAuth } from '../../local/demo/oauth.ts';
import { type Answer, gistOf } from './api-client.ts';
import { useStillTime } from './still-time.ts';
import { startSystemUnderTest } from './system-under-test.ts';
import {
  type CommunityCase,
  communityCases,
  ELSEWHERE,
  type FaultCase,
  type HelpmasterCase,
  helpmasterCases,
  isWaitedFor,
  normalCommunity,
  normalHelpmaster,
  normalOAuth,
  type OAuthCase,
  oauthCases,
  patienceWith,
  row,
  SOON,
  toleratedCases,
  toleratedLives,
} from './upstream-fault-cases.ts';

/** A port that no program is given by chance, as one that was just closed may be. */
const NOBODY_LISTENS = 'http://127.0.0.1:1';

describe('an upstream that misbehaves at login', async () => {
  const time = useStillTime();
  const upstreams = new Map<string, DemoUpstream<CommonKnobs>>();
  const strangerSaw: string[] = [];
  const stranger = createServer(({ url = '' }, response) => {
    strangerSaw.push(url);
    response.end();
  });
  const strangerUrl = await listenOnLoopback(stranger, 0);

  const nameOf = (kind: string, index: number) => `${kind}-${index}`;
  const aimed = <Knobs extends { redirectTo?: string | null }>(knobs: Knobs): Knobs =>
    knobs.redirectTo === ELSEWHERE ? { ...knobs, redirectTo: `${strangerUrl}/` } : knobs;

  const connections: Record<string, Record<string, unknown>> = {
    nobody: { provider: 'helpmaster', baseUrl: NOBODY_LISTENS },
  };
  const secrets: Record<string, Record<string, string>> = { nobody: demoHelpmasterSecret };
  const add = (name: string, upstream: DemoUpstream<CommonKnobs>, settings: object, secret: Record<string, string>) => {
    upstreams.set(name, upstream);
    connections[name] = { baseUrl: upstream.baseUrl, ...settings };
    secrets[name] = secret;
  };
  const addHelpmaster = async (name: string, knobs: Partial<HelpmasterKnobs>, settings = {}) => {
    const upstream = await startDemoHelpmaster({ knobs: aimed(knobs) });
    add(name, upstream, { provider: 'helpmaster', ...settings }, demoHelpmasterSecret);
  };
  for (const [index, fault] of helpmasterCases.entries()) {
    await addHelpmaster(nameOf('hm', index), fault.knobs, patienceWith(fault));
  }
  for (const [index, [, knobs]] of toleratedCases.entries()) await addHelpmaster(nameOf('ok', index), knobs);
  for (const [index, fault] of communityCases.entries()) {
    const { knobs, password } = fault;
    const secret = { ...demoCommunitySecret, ...(password === undefined ? {} : { password }) };
    const credential = password?.includes('|') === true ? secret : demoCommunitySecret;
    const upstream = await startDemoCommunity({ knobs: aimed({ credential, ...knobs }) });
    add(nameOf('wfm', index), upstream, { provider: 'community-web-api', ...patienceWith(fault) }, secret);
  }
  const addOAuth = async (name: string, knobs: Partial<OAuthKnobs>, clientSecret = demoOAuthSecret.clientSecret) => {
    const settings = { provider: 'oauth-client-credentials-basic', scope: 'orders.read' };
    add(name, await startDemoOAuth({ knobs }), settings, { ...demoOAuthSecret, clientSecret });
  };
  for (const [index, { knobs, secret }] of oauthCases.entries()) await addOAuth(nameOf('oauth', index), knobs, secret);
  for (const [index, [, knobs]] of toleratedLives.entries()) await addOAuth(nameOf('life', index), knobs);
  const system = await startSystemUnderTest({ connections, secrets });
  afterAll(async () => {
    await system.close();
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    await closeServer(stranger);
  });

  /** The failure, what callers get right after it, and that neither asked the upstream twice. */
  async function fails(connection: string, fault: FaultCase, logins: () => number): Promise<Answer> {
    const { subject, gist, retryAfter, afterwards = '503 cooldown', says = /./ } = fault;
    const first = await system.api.token(connection, subject);
    expect(gistOf(first)).toBe(gist);
    expect(first.json['detail']).toMatch(says);
    expect(first.headers['cache-control']).toBe('no-store');
    const [least, most] = retryAfter;
    expect(Number(first.headers['retry-after'])).toBeGreaterThanOrEqual(least);
    expect(Number(first.headers['retry-after'])).toBeLessThanOrEqual(most);

    const second = await system.api.token(connection, subject);
    if (most > 1 || gistOf(second) !== gist) {
      expect(gistOf(second)).toBe(afterwards);
      if (afterwards === '503 cooldown') expect(second.json['cause']).toBe(first.json['code']);
      expect(Number(second.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(logins()).toBe(fault.logins);
    }
    return first;
  }

  /** Invariant 18: a short wait ends by itself. An operator can end a longer one. */
  async function heals(connection: string, { subject, retryAfter: [, most] }: FaultCase): Promise<void> {
    if (most > 1) expect((await system.api.purge(connection, subject)).status).toBe(204);
    else time.advance({ seconds: 1 });
    expect(gistOf(await system.api.token(connection, subject))).toBe('200 login');
  }

  const ofHelpmaster = helpmasterCases.map((fault, index) => ({ ...fault, connection: nameOf('hm', index) }));
  const ofCommunity = communityCases.map((fault, index) => ({ ...fault, connection: nameOf('wfm', index) }));
  const ofOAuth = oauthCases.map((fault, index) => ({ ...fault, connection: nameOf('oauth', index) }));
  const isNotWaitedFor = (fault: FaultCase) => !isWaitedFor(fault);

  type Knobs = Readonly<Record<string, unknown>>;
  type Running<Case> = Case & { readonly connection: string };

  /** Lets the fault happen, and end: its knobs become normal, and the others as they are `mended`. */
  async function failsAndHeals(
    { connection, knobs, ...fault }: Running<FaultCase> & { readonly knobs: object },
    normal: Knobs,
    mended: Knobs,
  ): Promise<Answer> {
    const upstream = upstreams.get(connection);
    if (upstream === undefined) throw new Error('no such upstream');
    const first = await fails(connection, fault, () => upstream.ledger().logins.length);
    upstream.setKnobs({ ...Object.fromEntries(Object.keys(knobs).map((name) => [name, normal[name]])), ...mended });
    await heals(connection, fault);
    return first;
  }

  async function helpmasterHeals(fault: Running<HelpmasterCase>) {
    await failsAndHeals(fault, normalHelpmaster, { staff: ['7', '88'] });
  }

  async function communityHeals({ password, ...fault }: Running<CommunityCase>) {
    const credential = { ...demoCommunitySecret, ...(password === undefined ? {} : { password }) };
    const first = await failsAndHeals(fault, normalCommunity, { credential });
    expect(first.text).not.toContain(demoCommunitySecret.username);
    if (password !== undefined) expect(first.text).not.toContain(`|${password}`);
  }

  async function oauthHeals({ secret: clientSecret = demoOAuthSecret.clientSecret, ...fault }: Running<OAuthCase>) {
    await failsAndHeals(fault, normalOAuth, { credential: { ...demoOAuthSecret, clientSecret } });
  }

  it.each(ofHelpmaster.filter(isNotWaitedFor))('HelpMaster: $name → $gist, and it heals', helpmasterHeals);
  it.each(ofCommunity.filter(isNotWaitedFor))('Community: $name → $gist, and it heals', communityHeals);

  it.each(ofOAuth)('OAuth: $name → $gist, and it heals', oauthHeals);

  // Side by side, since each takes a second of real time, and none moves it.
  describe.concurrent('that is waited for', () => {
    it.each(ofHelpmaster.filter(isWaitedFor))('HelpMaster: $name → $gist, and it heals', helpmasterHeals);
    it.each(ofCommunity.filter(isWaitedFor))('Community: $name → $gist, and it heals', communityHeals);
  });

  it.each(
    [['HelpMaster', 'ok', '88', toleratedCases] as const, ['OAuth', 'life', 'system', toleratedLives] as const].flatMap(
      ([upstream, kind, subject, cases]) =>
        cases.map(([name, , good], index) => ({ upstream, subject, name, good, connection: nameOf(kind, index) })),
    ),
  )(
    '$upstream: $name is no fault, and the token is good for no longer than it should be',
    async ({ connection, subject, good: [least, most] }) => {
      const answer = await system.api.token(connection, subject);
      expect(gistOf(answer)).toBe('200 login');
      expect(Number(answer.json['expires_in'])).toBeGreaterThanOrEqual(least);
      expect(Number(answer.json['expires_in'])).toBeLessThanOrEqual(most);
    },
  );

  it('HelpMaster: nobody listens → 503 upstream_unreachable, tried again a second later', async () => {
    const fault = row('', 'system', {}, '503 upstream_unreachable', SOON, { logins: 0 });
    await fails('nobody', fault, () => 0);
  });

  it('H4, invariant 15: no redirect is followed, with or without the credential', async () => {
    const redirected = (cases: readonly FaultCase[], kind: string) =>
      cases.flatMap(({ name, subject }, index) => (/redirect/.test(name) ? [[nameOf(kind, index), subject]] : []));
    const asked = [...redirected(helpmasterCases, 'hm'), ...redirected(communityCases, 'wfm')];
    expect(asked).toHaveLength(2);
    await Promise.all(asked.map(([connection = '', subject = '']) => system.api.token(connection, subject)));
    expect(strangerSaw).toEqual([]);
  });
});
