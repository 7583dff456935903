import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type MiddlewareOptions, withMiddleware } from '../../../functions/api/middleware.ts';
import { BrokerError } from '../../../functions/core/words/errors.ts';
import type { Telemetry } from '../../../functions/core/words/platform.ts';
import { createLambdaContext } from '../../../local/lambda/lambda-context.ts';

const CANARY = 'a-credential-in-a-message';

afterEach(() => vi.unstubAllEnvs());

/** Runs `work` in its middleware with `remainingMs` left; gives the result or what was thrown, and what was logged. */
async function run(
  work: () => Promise<unknown>,
  { remainingMs = 20_000, ...options }: Partial<MiddlewareOptions<unknown, unknown>> & { remainingMs?: number } = {},
) {
  const logged: unknown[] = [];
  const telemetry: Telemetry = {
    metrics: (...line) => logged.push(line),
    warn: (...line) => logged.push(line),
    info: (...line) => logged.push(line),
  };
  const context = createLambdaContext({
    functionName: 'mint',
    requestId: 'invocation-0001',
    timeoutMs: remainingMs,
    now: Date.now,
  });
  const result = await withMiddleware({ telemetry, ...options }, work)({}, context).then(
    (value) => ({ value }),
    (thrown: unknown) => ({ thrown }),
  );
  return { ...result, logged };
}

describe('a function outside the API', () => {
  it('gives what its work gives, and logs nothing', async () => {
    expect(await run(async () => 'done')).toEqual({ value: 'done', logged: [] });
    expect(await run(async () => undefined)).toEqual({ value: undefined, logged: [] });
  });

  it('throws an error of the broker as it is, and logs its code', async () => {
    const error = new BrokerError('store_unavailable', 'The store is down.');
    expect(await run(() => Promise.reject(error))).toEqual({
      thrown: error,
      logged: [
        [
          'An invocation failed.',
          { code: 'store_unavailable', detail: 'The store is down.', requestId: 'invocation-0001' },
        ],
      ],
    });
  });

  it.each<readonly [string, unknown]>([
    ['an error with a cause', new TypeError(`cannot read ${CANARY}`, { cause: new Error(CANARY) })],
    ['a text', CANARY],
    ['nothing', undefined],
    ['an object', { status: 200, message: CANARY }],
  ])('throws internal for %s: neither error nor log holds its message', async (_what, thrown) => {
    const failed = await run(() => Promise.reject(thrown));
    expect(failed).toMatchObject({ thrown: { name: 'BrokerError', code: 'internal' } });
    expect(inspect(failed, { depth: null, showHidden: true })).not.toContain(CANARY);
  });

  it('logs the kind and the place of an unforeseen error', async () => {
    const { logged } = await run(async () => {
      throw new TypeError(CANARY);
    });
    expect(logged).toMatchObject([
      ['Something unforeseen was thrown.', { name: 'TypeError', requestId: 'invocation-0001' }],
      ['An invocation failed.', { code: 'internal', requestId: 'invocation-0001' }],
    ]);
    expect(JSON.stringify(logged)).toContain('api/middleware.test.ts');
  });

  it('counts an unforeseen error, and no other, for its version of the function, so that a new one is rolled back', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'the-function');
    vi.stubEnv('AWS_LAMBDA_FUNCTION_VERSION', '7');
    const metricsOf = async (error: Error) => {
      const { logged } = await run(() => Promise.reject(error));
      return logged.filter((line) => JSON.stringify(line).includes('UnforeseenErrors'));
    };
    expect(await metricsOf(new BrokerError('store_unavailable', 'The store is down.'))).toEqual([]);
    const of = { function: 'the-function', version: '7' };
    const one = { unit: 'Count', value: 1 };
    expect(await metricsOf(new TypeError(CANARY))).toEqual([[of, { UnforeseenErrors: one }, { isShared: true }]]);
  });

  it('invariant 14: is never answered before its work has ended', async () => {
    expect(await run(() => sleep(50, 'done'), { remainingMs: 0 })).toMatchObject({ value: 'done' });
  });
});

describe('a request', () => {
  const answerError = (error: unknown) => ({ answered: error });

  it('is answered whatever is thrown', async () => {
    const error = new Error(CANARY);
    expect(await run(() => Promise.reject(error), { answerError })).toEqual({ value: { answered: error }, logged: [] });
  });

  it('is answered deadline_exceeded 3 s before its Lambda would end, and not by an empty 500', async () => {
    const answered = await run(() => sleep(1_000, 'too late', { ref: false }), { answerError, remainingMs: 3_050 });
    expect(answered).toMatchObject({ value: { answered: { code: 'deadline_exceeded' } } });
  });
});
