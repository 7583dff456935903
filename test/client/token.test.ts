import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createTokenBrokerClient, type TokenBrokerClientOptions, TokenBrokerError } from '../../client/index.ts';
import { handOutBody, problem, type StubAnswer, startStub } from './broker-stub.ts';

const START = Date.parse('2026-11-22T10:00:00Z');
let now: number;
let slept: number[];

const stub = await startStub();
afterAll(() => stub.close());
beforeEach(() => {
  now = START;
  slept = [];
});

/** A client whose clock only moves by hand and by sleeping. */
function createClient(options: TokenBrokerClientOptions = {}) {
  const clock = {
    now: () => now,
    async sleep(ms: number) {
      slept.push(ms);
      now += ms;
    },
  };
  return createTokenBrokerClient({ url: stub.url, clock, random: () => 0.5, ...options });
}

const handsOut = (token: string, change: Readonly<Record<string, unknown>> = {}) => ({
  body: handOutBody(token, now, change),
});
const asked = async (work: () => Promise<unknown>): Promise<number> => {
  const before = stub.requests.length;
  await work();
  return stub.requests.length - before;
};
const failure = async (work: Promise<unknown>): Promise<TokenBrokerError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TokenBrokerError)) throw new Error('There was no TokenBrokerError.', { cause: error });
  return error;
};

describe('client.token', () => {
  it('asks the broker once for a thousand callers, and not again before refresh_at', async () => {
    stub.answer(handsOut('one'));
    const client = createClient();
    const count = await asked(async () => {
      await Promise.all(Array.from({ length: 1_000 }, () => client.token('wfm')));
      now += 599_000;
      await client.token('wfm');
    });
    expect(count).toBe(1);

    now += 2_000;
    stub.answer(handsOut('two'));
    expect((await client.token('wfm')).token).toBe('two');
  });

  it.each([1, 1_000])(
    'does not take back a token that was purged while it was in flight (%i kept)',
    async (maximumSlots) => {
      const client = createClient({ maximumSlots });
      const held: (() => void)[] = [];
      const purged = JSON.stringify(handOutBody('purged', now));
      stub.answer((_request, response) => held.push(() => response.end(purged)), { status: 204, body: '' });
      const slow = client.token('wfm');
      await expect.poll(() => held.length).toBe(1);
      await client.purge('wfm');
      // Another slot's purge must not make room for it.
      await client.purge('wfm', { subject: '88' });
      stub.answer(handsOut('new'));
      // A request after the purge does not share one sent before it.
      expect((await client.token('wfm')).token).toBe('new');
      held[0]?.();
      expect((await slow).token).toBe('new');
      expect((await client.token('wfm')).token).toBe('new');
    },
  );

  it('asks again if a token purged in flight came late', async () => {
    const client = createClient();
    const held: (() => void)[] = [];
    const purged = JSON.stringify(handOutBody('purged', now));
    stub.answer((_request, response) => held.push(() => response.end(purged)), { status: 204, body: '' });
    const slow = client.token('wfm');
    await expect.poll(() => held.length).toBe(1);
    await client.purge('wfm');
    held[0]?.();
    expect((await slow).token).toBe('purged');
    stub.answer(handsOut('new'));
    expect((await client.token('wfm')).token).toBe('new');
  });

  it('keeps subjects and connections apart', async () => {
    const client = createClient();
    stub.answer(handsOut('eighty-eight', { subject: '88' }));
    expect((await client.token('wfm', { subject: '88' })).token).toBe('eighty-eight');
    stub.answer(handsOut('system'));
    expect((await client.token('wfm')).token).toBe('system');
    expect((await client.token('wfm', { subject: '88' })).token).toBe('eighty-eight');
  });

  it('never takes an answer that is for another slot', async () => {
    stub.answer(handsOut('other', { subject: '42' }));
    expect(await failure(createClient().token('wfm', { subject: '88' }))).toMatchObject({ kind: 'invalid_answer' });
  });

  it('asks again after holdSeconds, though the token lives for long', async () => {
    stub.answer(handsOut('one'));
    const client = createClient({ holdSeconds: 60 });
    await client.token('wfm');
    now += 61_000;
    expect(await asked(() => client.token('wfm'))).toBe(1);
  });

  it('counts from what remained, so that a clock an hour off does no harm', async () => {
    stub.answer({ body: handOutBody('one', now - 3_600_000) });
    const client = createClient();
    await client.token('wfm');
    now += 500_000;
    expect(await asked(() => client.token('wfm'))).toBe(0);
  });

  it('asks with min_ttl where the token held falls short, and only then', async () => {
    stub.answer(handsOut('one'));
    const client = createClient();
    await client.token('wfm', { minTtlSeconds: 300 });
    expect(stub.requests.at(-1)?.target).toBe('/tokens/wfm/system?min_ttl=300');
    expect(await asked(() => client.token('wfm', { minTtlSeconds: 1_000 }))).toBe(0);
    expect(await asked(() => client.token('wfm', { minTtlSeconds: 1_190 }))).toBe(0);
    now += 10_000;
    stub.answer(problem(400, 'min_ttl_unsatisfiable'));
    expect(await failure(client.token('wfm', { minTtlSeconds: 1_190 }))).toMatchObject({
      code: 'min_ttl_unsatisfiable',
    });
    expect((await client.token('wfm')).token).toBe('one');
  });

  it('forgets the least recently used slot where there are too many', async () => {
    const client = createClient({ maximumSlots: 2 });
    for (const subject of ['1', '2', '3']) {
      stub.answer(handsOut(subject, { subject }));
      await client.token('wfm', { subject });
    }
    expect(await asked(() => client.token('wfm', { subject: '3' }))).toBe(0);
    stub.answer(handsOut('1', { subject: '1' }));
    expect(await asked(() => client.token('wfm', { subject: '1' }))).toBe(1);
  });
});

describe('client.token, while the broker fails', () => {
  const outages: readonly [string, () => StubAnswer][] = [
    ['answers 503', () => problem(503, 'store_unavailable')],
    ['answers 502', () => problem(502, 'upstream_credential_rejected')],
    ["answers API Gateway's 500", () => ({ status: 500, body: { message: 'Internal Server Error' } })],
    ['answers HTML', () => ({ body: '<html>maintenance</html>', headers: { 'content-type': 'text/html' } })],
    ['answers 404 in HTML', () => ({ status: 404, body: '<html>captive portal</html>' })],
    ['breaks off', () => (_request, response) => response.destroy()],
    [
      'breaks off in the middle',
      () => (_request, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"access_token":');
        setImmediate(() => response.destroy());
      },
    ],
  ];

  it.each(outages)('hands out the good token until its end while the broker %s', async (_name, outage) => {
    stub.answer(handsOut('one'));
    const client = createClient();
    await client.token('wfm');
    stub.answer(outage());
    now += 700_000;
    expect((await client.token('wfm')).token).toBe('one');
    now = START + 1_194_000;
    expect((await client.token('wfm')).token).toBe('one');
    now = START + 1_195_000;
    await failure(client.token('wfm'));
  });

  it('asks a broker that fails less and less often while the token is good', async () => {
    stub.answer(handsOut('one'));
    const client = createClient();
    await client.token('wfm');
    stub.answer(problem(503, 'store_unavailable', { 'retry-after': '1' }));
    now += 601_000;
    const count = await asked(async () => {
      for (let second = 0; second < 300; second += 1) {
        await client.token('wfm');
        now += 1_000;
      }
    });
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(20);
    expect(slept).toEqual([]);
  });

  it('does not keep a token from a caller who has lost its grant', async () => {
    stub.answer(handsOut('one'));
    const client = createClient();
    await client.token('wfm');
    now += 601_000;
    stub.answer({ status: 403, body: { message: 'Forbidden' } });
    expect(await failure(client.token('wfm'))).toMatchObject({ kind: 'gateway', status: 403 });
    stub.answer(problem(503, 'store_unavailable'));
    expect(await failure(client.token('wfm'))).toMatchObject({ code: 'store_unavailable' });
  });

  it('waits out Retry-After with jitter, up to three attempts', async () => {
    stub.answer(problem(503, 'refresh_in_progress', { 'retry-after': '2' }));
    const count = await asked(async () => {
      const error = await failure(createClient().token('wfm'));
      expect(error).toMatchObject({
        kind: 'problem',
        code: 'refresh_in_progress',
        status: 503,
        retryAfterMs: 2_000,
        requestId: 'req-1',
      });
    });
    expect(count).toBe(3);
    expect(slept).toEqual([2_200, 2_400]);
  });

  it('succeeds as soon as the broker does', async () => {
    stub.answer(
      (_request, response) => response.destroy(),
      { status: 503, body: { message: 'Service Unavailable' } },
      handsOut('one'),
    );
    expect((await createClient().token('wfm')).token).toBe('one');
  });

  it('fails at once if Retry-After exceeds its time', async () => {
    stub.answer(problem(503, 'cooldown', { 'retry-after': '600' }));
    expect(await asked(async () => failure(createClient().token('wfm')))).toBe(1);
    expect(slept).toEqual([]);
  });

  it.each([
    ['a 400', problem(400, 'invalid_subject')],
    ['a 404', problem(404, 'unknown_connection')],
    ['a 502', problem(502, 'upstream_credential_rejected', { 'retry-after': '1' })],
    ['a 503 that names no time', problem(503, 'store_unavailable')],
    ['a 500', problem(500, 'internal')],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example.com/' } }],
    ['HTML', { body: '<html></html>' }],
    ['an empty 200', { body: '' }],
    ['JSON that is no hand-out', { body: { access_token: 'x' } }],
    [
      'a header that would break a request',
      { body: handOutBody('x', START, { headers: { WFMSGAPIKEY: 'a\r\nb: c' } }) },
    ],
    ['megabytes', { body: ' '.repeat(2 * 1024 * 1024) }],
  ] as const)('does not ask again after %s', async (_name, answer) => {
    stub.answer(answer);
    expect(await asked(async () => failure(createClient().token('wfm')))).toBe(1);
  });

  it.each([
    ['says nothing', () => undefined],
    ['drips', (response: { write(text: string): unknown }) => void response.write(' ')],
  ])('times out where the broker %s', async (_name, begin) => {
    stub.answer((_request, response) => {
      begin(response);
    });
    expect(await failure(createClient({ timeoutMs: 150 }).token('wfm'))).toMatchObject({
      kind: 'timeout',
      code: 'timeout',
    });
  });

  it('reports that no broker listens', async () => {
    const gone = await startStub();
    await gone.close();
    const error = await failure(createClient({ url: gone.url }).token('wfm'));
    expect(error).toMatchObject({ kind: 'network', status: undefined });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('ends one caller’s waiting without ending the others’', async () => {
    let answer: (() => void) | undefined;
    const body = handOutBody('one', now);
    stub.answer((_request, response) => {
      answer = () => response.writeHead(200).end(JSON.stringify(body));
    });
    const client = createClient();
    const controller = new AbortController();
    const [impatient, patient] = [client.token('wfm', { signal: controller.signal }), client.token('wfm')];
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    await expect.poll(() => answer).toBeDefined();
    answer?.();
    expect((await patient).token).toBe('one');
  });
});
