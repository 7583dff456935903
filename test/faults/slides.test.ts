import { afterAll, describe, expect, it } from 'vitest';
import { answer, type RawServer, startRawServer } from '../functions/http/raw-server.ts';
import { send } from '../local/demo/demo-client.ts';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { useStillTime } from '../system/still-time.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { waitUntil } from '../system/wait-until.ts';

/** Headers of the upstream's 200 answers, by case. `{n}` is the number of the call. */
const headerCases = [
  ['no header (C16)', [], undefined],
  ['an empty header (C16)', ['WFMSGAPIKEY: '], undefined],
  ['two different tokens (C16)', ['WFMSGAPIKEY: slid-token-a', 'WFMSGAPIKEY: slid-token-b'], undefined],
  ['a token that no header may carry (C16)', ['WFMSGAPIKEY: slid\u0080token'], undefined],
  ['one token, said twice (C16)', ['WFMSGAPIKEY: slid-token-c', 'WFMSGAPIKEY: slid-token-c'], 'slid-token-c'],
  ['one token (C15)', ['wfmsgapikey: slid-token-d'], 'slid-token-d'],
] as const;

/** A CommunityWebAPI of bytes: logins bring `login-token-N`, calls whatever `call` says. */
interface RawCommunity {
  readonly server: RawServer;
  logins(): number;
}

async function startRawCommunity(call: (path: string, token: string) => Promise<Buffer>): Promise<RawCommunity> {
  let logins = 0;
  const server = await startRawServer((socket, request) => {
    void request.then(async (head) => {
      if (head.startsWith('POST /AuthenticateEx')) {
        logins += 1;
        socket.end(answer([], JSON.stringify({ Success: true, Data: { authToken: `login-token-${logins}` } })));
        return;
      }
      const path = head.split(' ')[1] ?? '';
      socket.end(await call(path, /^wfmsgapikey: (.*)$/im.exec(head)?.[1] ?? ''));
    });
  });
  return { server, logins: () => logins };
}

const connectionTo = ({ server }: RawCommunity) => ({
  provider: 'community-web-api',
  baseUrl: `http://127.0.0.1:${server.port}`,
  // Due after 3 minutes, good for 20.
  refreshAfter: 0.15,
  memorySeconds: 0,
  renewalCooldownSeconds: 0,
  proxy: { methods: ['GET'], paths: ['/'] },
});

describe('slides on the wire', async () => {
  const time = useStillTime();
  const upstreams = new Map<string, RawCommunity>();
  let held: (() => void) | undefined;

  for (const [index, [, lines]] of headerCases.entries()) {
    upstreams.set(`wfm-${index}`, await startRawCommunity(async () => answer(lines, '{}')));
  }
  upstreams.set(
    'unordered',
    await startRawCommunity(async (path) => {
      if (path === '/slow') await new Promise<void>((resolve) => (held = resolve));
      return answer([`WFMSGAPIKEY: slid-token-of${path.replace('/', '-')}`], '{}');
    }),
  );
  upstreams.set(
    'ended',
    await startRawCommunity(async (_path, token) =>
      token === 'login-token-1'
        ? Buffer.from('HTTP/1.1 401 Ended\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        : answer([], '{}'),
    ),
  );
  const names = [...upstreams.keys()];
  const system = await startSystemUnderTest({
    connections: Object.fromEntries([...upstreams].map(([name, upstream]) => [name, connectionTo(upstream)])),
    secrets: Object.fromEntries(names.map((name) => [name, { username: 'svc', password: 'canary-password-77' }])),
  });
  afterAll(async () => {
    await system.close();
    await Promise.all([...upstreams.values()].map(({ server }) => server.close()));
  });

  const call = (connection: string, path = '/call') => send(`${system.url}/proxy/${connection}/system${path}`);

  /** Logs in and lets time pass until the token is due, since an earlier slide is not worth a write. */
  async function dueToken(connection: string) {
    const first = await system.api.token(connection, 'system');
    expect(gistOf(first)).toBe('200 login');
    time.advanceTo(Date.parse(String(first.json['refresh_at'])) + 1_000);
    return first;
  }

  it.each(headerCases.map(([name, , slid], index) => ({ name, slid, connection: `wfm-${index}` })))(
    '$name: the caller gets its answer without it, and the token kept is $slid (undefined: the old one)',
    async ({ connection, slid }) => {
      const first = await dueToken(connection);
      const answered = await call(connection);
      expect(answered).toMatchObject({ status: 200, text: '{}' });
      expect(answered.headers['wfmsgapikey']).toBeUndefined();

      const after = await system.api.token(connection, 'system');
      expect(after.json).toMatchObject({ source: 'cache', generation: slid === undefined ? 1 : 2 });
      expect(tokenOf(after)).toBe(slid ?? tokenOf(first));
      if (slid === undefined) expect(after.json['expires_at']).toBe(first.json['expires_at']);
      expect(upstreams.get(connection)?.logins()).toBe(1);
    },
  );

  it('C18, invariant 7: answers out of order: an older slide never replaces a newer one', async () => {
    await dueToken('unordered');
    const slow = call('unordered', '/slow');
    await waitUntil('slow call', () => held);
    expect((await call('unordered', '/fast')).status).toBe(200);
    const between = await system.api.token('unordered', 'system');
    expect(between.json).toMatchObject({ generation: 2, access_token: 'slid-token-of-fast' });

    held?.();
    expect((await slow).status).toBe(200);
    const after = await system.api.token('unordered', 'system');
    expect(after.json).toMatchObject({ generation: 2, access_token: 'slid-token-of-fast' });
    expect(upstreams.get('unordered')?.logins()).toBe(1);
  });

  it('C19: a session that was ended early: 401, one login, one replay, and the caller sees neither', async () => {
    expect(gistOf(await system.api.token('ended', 'system'))).toBe('200 login');
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('ended')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(upstreams.get('ended')?.logins()).toBe(2);
  });
});
