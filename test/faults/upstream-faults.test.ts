import { afterAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../functions/http/raw-server.ts';
import { gistOf } from '../system/api-client.ts';
import { useStillTime } from '../system/still-time.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { isWaitedFor, patienceWith } from '../system/upstream-fault-cases.ts';
import { type RawFault, rawFaults, rawOddities } from './raw-fault-cases.ts';
import { type Misbehaviour, type RawUpstream, replying, startRawUpstream, tokenAnswer } from './raw-upstream.ts';

const API_KEY = 'canary-key-5f0c1d9e-of-the-fault-catalogue';
const TITLE = '$name → $gist, $logins login read, and the next good answer heals';
/** Longer back-offs are ended by DELETE, as an operator would. */
const WAITED_OUT_SECONDS = 1;

const localhost = selfSigned('localhost');
const another = selfSigned('another.example');
/** Over TLS: what the server does, its certificate, and what the connection trusts. */
const tlsFaults: readonly (RawFault & { readonly certificate?: typeof localhost; readonly trusts?: string })[] = [
  {
    ...tlsRow('a certificate that nobody vouches for', '502 upstream_tls_invalid', 0),
    certificate: localhost,
    trusts: another.cert,
  },
  {
    ...tlsRow('a certificate of another name', '502 upstream_tls_invalid', 0),
    certificate: another,
    trusts: another.cert,
  },
  tlsRow('plain HTTP where TLS should be', '502 upstream_tls_invalid', 0, (socket) =>
    socket.end('HTTP/1.1 400 No\r\n\r\n'),
  ),
  tlsRow('a reset in the handshake', '503 upstream_unreachable', 0, (socket) => socket.resetAndDestroy()),
  tlsRow('a handshake that never ends', '504 upstream_timeout', 0, () => undefined),
  {
    ...tlsRow('a reset after it has read, over TLS', '503 upstream_outcome_unknown', 1, (socket, request) => {
      void request.then(() => socket.destroy());
    }),
    retryAfter: [29, 30],
    certificate: localhost,
    trusts: localhost.cert,
  },
];

describe('an upstream that misbehaves on the wire', async () => {
  const time = useStillTime();
  const upstreams = new Map<string, RawUpstream>();

  const connections: Record<string, Record<string, unknown>> = {};
  const add = async (name: string, misbehave: Misbehaviour, origin: (port: number) => Record<string, unknown>) => {
    const { certificate } = tlsFaults.find((_, index) => nameOf('tls', index) === name) ?? {};
    const upstream = await startRawUpstream({ misbehave, ...(certificate === undefined ? {} : { certificate }) });
    upstreams.set(name, upstream);
    connections[name] = { provider: 'helpmaster', ...origin(upstream.port) };
  };
  const plain = (port: number) => ({ baseUrl: `http://127.0.0.1:${port}` });
  for (const [index, fault] of rawFaults.entries()) {
    await add(nameOf('raw', index), fault.misbehave, (port) => ({ ...plain(port), ...patienceWith(fault) }));
  }
  for (const [index, [, behave]] of rawOddities.entries()) await add(nameOf('odd', index), behave, plain);
  await add('at-once', (socket) => void socket.resetAndDestroy(), plain);
  for (const [index, fault] of tlsFaults.entries()) {
    await add(nameOf('tls', index), fault.misbehave, (port) => ({
      baseUrl: `https://localhost:${port}`,
      caCertificate: fault.trusts ?? localhost.cert,
      ...patienceWith(fault),
    }));
  }
  const secrets = Object.fromEntries(Object.keys(connections).map((name) => [name, { apiKey: API_KEY }]));
  const system = await startSystemUnderTest({ connections, secrets });
  const { api } = system;
  afterAll(async () => {
    await system.close();
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    expect(system.log()).not.toContain(API_KEY);
  });

  function upstreamOf(connection: string): RawUpstream {
    const upstream = upstreams.get(connection);
    if (upstream === undefined) throw new Error(`There is no upstream ${connection}.`);
    return upstream;
  }

  /** Checks the failure, the cooldown after it, and that ten more callers cause no login. */
  async function failsOnce(connection: string, { gist, retryAfter: [least, most], logins }: RawFault): Promise<void> {
    const first = await api.token(connection, 'system');
    expect(gistOf(first)).toBe(gist);
    expect(first.text).not.toContain(API_KEY);
    expect(Number(first.headers['retry-after'])).toBeGreaterThanOrEqual(least);
    expect(Number(first.headers['retry-after'])).toBeLessThanOrEqual(most);
    if (most > WAITED_OUT_SECONDS) {
      const more = await Promise.all(Array.from({ length: 10 }, () => api.token(connection, 'system')));
      expect(new Set(more.map(gistOf))).toEqual(new Set(['503 cooldown']));
      expect(new Set(more.map(({ json }) => json['cause']))).toEqual(new Set([first.json['code']]));
    }
    expect(upstreamOf(connection).logins()).toBe(logins);
  }

  /** Invariant 18: the first attempt after the fault has ended brings a token, with one login. */
  async function heals(connection: string, { retryAfter: [, most] }: Pick<RawFault, 'retryAfter'>): Promise<void> {
    const upstream = upstreamOf(connection);
    upstream.heal();
    const before = upstream.logins();
    if (most > WAITED_OUT_SECONDS) expect((await api.purge(connection, 'system')).status).toBe(204);
    else time.advance({ seconds: WAITED_OUT_SECONDS });
    expect(gistOf(await api.token(connection, 'system'))).toBe('200 login');
    expect(upstream.logins()).toBe(before + 1);
  }

  const rows = rawFaults.map((fault, index) => ({ ...fault, connection: nameOf('raw', index) }));

  // Side by side, since each takes a second of real time, and none moves it.
  describe.concurrent('that is waited for', () => {
    it.each(rows.filter(isWaitedFor))(TITLE, ({ connection, ...fault }) => failsAndHeals(connection, fault));
  });

  it.each(rows.filter((fault) => !isWaitedFor(fault)))(TITLE, ({ connection, ...fault }) =>
    failsAndHeals(connection, fault),
  );

  async function failsAndHeals(connection: string, fault: RawFault): Promise<void> {
    await failsOnce(connection, fault);
    await heals(connection, fault);
  }

  it('a reset before it has read → 503, no login read, and the next good answer heals', async () => {
    const first = await api.token('at-once', 'system');
    // Noticed while connecting it was surely not sent; noticed later it may have been.
    expect(['503 upstream_unreachable', '503 upstream_outcome_unknown']).toContain(gistOf(first));
    expect(upstreamOf('at-once').logins()).toBe(0);
    await heals('at-once', { retryAfter: [1, 30] });
  });

  it.each(tlsFaults.map((fault, index) => ({ ...fault, connection: nameOf('tls', index) })))(
    'TLS: $name → $gist, $logins login read',
    async ({ connection, ...fault }) => {
      await failsOnce(connection, fault);
      if (fault.logins === 0) expect(upstreamOf(connection).received()).not.toContain(API_KEY);
      if (fault.trusts === localhost.cert) await heals(connection, fault);
    },
  );

  it.each(rawOddities.map(([name, , good], index) => ({ name, good, connection: nameOf('odd', index) })))(
    '$name is no fault, and the token is good for as long as it should be',
    async ({ connection, good: [least, most] }) => {
      const answer = await api.token(connection, 'system');
      expect(gistOf(answer)).toBe('200 login');
      expect(answer.text).not.toContain('smuggled');
      expect(Number(answer.json['expires_in'])).toBeGreaterThanOrEqual(least);
      expect(Number(answer.json['expires_in'])).toBeLessThanOrEqual(most);
    },
  );
});

function nameOf(kind: string, index: number): string {
  return `${kind}-${index}`;
}

function tlsRow(
  name: string,
  gist: string,
  logins: number,
  misbehave: Misbehaviour = replying(tokenAnswer('a-token-over-tls')),
): RawFault {
  return { name, misbehave, gist, retryAfter: [1, 1], logins };
}
