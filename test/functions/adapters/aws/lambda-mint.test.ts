import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { awsClientConfig } from '../../../../functions/adapters/aws/client.ts';
import { createLambdaClient, createLambdaMint } from '../../../../functions/adapters/aws/lambda-mint.ts';
import type { MintRequest } from '../../../../functions/core/slot/mint-message.ts';
import type { MintInvoker } from '../../../../functions/core/slot/minter.ts';
import { startLoopbackServer } from '../../../../local/aws/loopback-server.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { environmentFor, startAwsUnderTest } from './aws-under-test.ts';

const TIMEOUT_MS = 10_000;
const CONNECTION = helpdeskConnection();
const REQUEST: MintRequest = {
  connection: 'helpdesk',
  subject: '88',
  fingerprint: 'f00d',
  trigger: 'caller',
  lease: { id: 'lease-1', takenAt: 1_800_000_000_000 },
};

function mintAt(endpoint: string): { readonly mint: MintInvoker; close(): void } {
  const own = createLambdaClient(environmentFor(endpoint));
  return {
    mint: createLambdaMint({ client: own, functionNameOf: ({ name }) => `mint-${name}` }),
    close: () => own.destroy(),
  };
}

function answering(answer: (event: unknown) => unknown, timeoutMs = TIMEOUT_MS): ReturnType<typeof vi.fn> {
  const handler = vi.fn(async (event: unknown) => answer(event));
  under.functions.set('mint-helpdesk', { handler, timeoutMs });
  return handler;
}

const under = await startAwsUnderTest();
const client = createLambdaClient(under.environment);
const mint = createLambdaMint({ client, functionNameOf: ({ name }) => `mint-${name}` });
// Fake timers: on a busy machine the client's real connect timeout could run out.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  under.aws.faults.clear();
  under.aws.faults.resetCounts();
  under.functions.clear();
});
afterAll(async () => {
  client.destroy();
  await under.aws.close();
});

describe('invoke', () => {
  it.each([
    { outcome: 'published', generation: 7, source: 'login' },
    { outcome: 'published', generation: 8, source: 'slide' },
    { outcome: 'failed', code: 'upstream_timeout', detail: 'It did not answer.', retryAfterMs: 5_000 },
    { outcome: 'failed', code: 'secret_invalid', detail: 'Set it.' },
    { outcome: 'busy' },
    { outcome: 'superseded' },
    { outcome: 'idle' },
    { outcome: 'current' },
    { outcome: 'waiting' },
  ])("sends the request as it is and gives mint's reply: $outcome", async (reply) => {
    const handler = answering(() => reply);

    expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'reply', reply });
    expect(handler.mock.calls.map(([event]) => event)).toEqual([REQUEST]);
  });

  it('takes a failure of a code that it does not know for `internal`, and nothing else out of a reply', async () => {
    answering(() => ({ outcome: 'failed', code: 'toString', detail: 'New.', token: 'x', retryAfterMs: '5' }));

    expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({
      kind: 'reply',
      reply: { outcome: 'failed', code: 'internal', detail: 'New.' },
    });
  });

  it.each([
    [null],
    ['published'],
    [{}],
    [[]],
    [{ outcome: 'other' }],
    [{ outcome: 'published' }],
    [{ outcome: 'published', generation: '7', source: 'login' }],
    [{ outcome: 'published', generation: 7, source: 'cache' }],
    [{ outcome: 'failed', code: 'internal' }],
    [{ outcome: 'failed', detail: 'No code.' }],
  ])('takes what is no reply for an error of the function: %j', async (answer) => {
    answering(() => answer);

    expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'function_error' });
  });

  it('tells a function that threw, or was ended by Lambda, from an answer', async () => {
    answering(() => {
      throw new Error('outcome: published');
    });
    expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'function_error' });

    const handler = answering(() => new Promise(() => undefined), 20);
    const invoked = mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS);
    await expect.poll(() => handler.mock.calls.length).toBe(1);
    vi.advanceTimersByTime(20);
    expect(await invoked).toEqual({ kind: 'function_error' });
  });

  it.each(['throttle', 'deny'] as const)(
    'is refused, and has logged in nowhere, when Lambda says: %s',
    async (mode) => {
      const handler = answering(() => ({ outcome: 'busy' }));
      under.aws.faults.set('lambda', { mode });

      expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'refused' });
      expect(handler).not.toHaveBeenCalled();
      expect(under.aws.faults.counts()).toEqual({ 'lambda.Invoke': 1 });
    },
  );

  it('is refused where there is no such function', async () => {
    expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'refused' });
  });

  it('is refused where nothing listens', async () => {
    const nowhere = mintAt('http://127.0.0.1:1');

    expect(await nowhere.mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'refused' });
    nowhere.close();
  });

  it('waits three seconds for a connection, since a busy process may stand still for one', async () => {
    const client = createLambdaClient(under.environment);
    const own = createLambdaMint({ client, functionNameOf: () => 'none' });
    expect(await own.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'refused' });

    // The handler has its configuration from the first request on.
    expect(Object(client.config.requestHandler).httpHandlerConfigs()).toMatchObject({ connectionTimeout: 3_000 });
    client.destroy();
  });

  it('is refused if no connection is made in time', async () => {
    vi.useRealTimers();
    under.aws.faults.set('lambda', { mode: 'hang' });
    const config = awsClientConfig({ service: 'LAMBDA', maxAttempts: 1 }, under.environment);
    const requestHandler = { ...config.requestHandler, connectionTimeout: 50, httpAgent: { maxSockets: 1 } };
    const crowded = new LambdaClient({ ...config, requestHandler });
    const own = createLambdaMint({ client: crowded, functionNameOf: () => 'mint-helpdesk' });
    const first = own.invoke(CONNECTION, REQUEST, TIMEOUT_MS);
    await expect.poll(under.aws.faults.counts).toEqual({ 'lambda.Invoke': 1 });

    expect(await own.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'refused' });
    crowded.destroy();
    expect(await first).toEqual({ kind: 'unanswered' });
  });

  it.each(['down', 'reset', 'lose-reply'] as const)(
    'is unanswered, and sent once, when Lambda does: %s',
    async (mode) => {
      answering(() => ({ outcome: 'busy' }));
      under.aws.faults.set('lambda', { mode });

      expect(await mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS)).toEqual({ kind: 'unanswered' });
      expect(under.aws.faults.counts()).toEqual({ 'lambda.Invoke': 1 });
    },
  );

  it('is unanswered, and sent once, when there is no answer in the time given', async () => {
    under.aws.faults.set('lambda', { mode: 'hang' });

    const invoked = mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS);
    await expect.poll(under.aws.faults.counts).toEqual({ 'lambda.Invoke': 1 });
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(await invoked).toEqual({ kind: 'unanswered' });
    expect(under.aws.faults.counts()).toEqual({ 'lambda.Invoke': 1 });
  });

  it('uses no connection twice, since one may have died while the instance was frozen', async () => {
    const connections: (string | undefined)[] = [];
    const server = await startLoopbackServer({
      maxBodyBytes: 10_000,
      answer: async ({ headers }) => {
        connections.push(headers.connection);
        return { status: 200, headers: {}, body: '{"outcome":"busy"}' };
      },
    });
    const own = mintAt(server.endpoint);
    await own.mint.invoke(CONNECTION, REQUEST, TIMEOUT_MS);
    own.close();
    await server.close();

    expect(connections).toEqual(['close']);
  });
});

describe('ask', () => {
  const asked: MintRequest = { connection: 'helpdesk', subject: '88', fingerprint: 'f00d', trigger: 'reader' };

  it('does not wait for the function', async () => {
    let release = (): void => undefined;
    const handler = answering(() => new Promise<void>((resolve) => (release = resolve)));

    expect(await mint.ask(CONNECTION, asked)).toBe(true);
    await expect.poll(() => handler.mock.calls.map(([event]) => event)).toEqual([asked]);
    release();
  });

  it.each(['throttle', 'down', 'deny', 'reset'] as const)(
    'throws nothing, and asks once, when Lambda does: %s',
    async (mode) => {
      under.aws.faults.set('lambda', { mode });

      expect(await mint.ask(CONNECTION, asked)).toBe(false);
      expect(under.aws.faults.counts()).toEqual({ 'lambda.Invoke': 1 });
    },
  );

  it('throws nothing where the function has no name', async () => {
    const nameless = createLambdaMint({
      client,
      functionNameOf: () => {
        throw new Error('not deployed');
      },
    });

    expect(await nameless.ask(CONNECTION, asked)).toBe(false);
  });
});
