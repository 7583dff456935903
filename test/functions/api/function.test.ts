import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createApiFunction } from '../../../functions/api/function.ts';
import { createProblemResponse, toBrokerError } from '../../../functions/api/problem.ts';
import type { ApiEvent } from '../../../functions/api/request.ts';
import { isoSeconds } from '../../../functions/api/response.ts';
import { titleByCode } from '../../../functions/api/titles.ts';
import { BrokerError, type BrokerErrorCode, statusByCode } from '../../../functions/core/words/errors.ts';
import type { Telemetry } from '../../../functions/core/words/platform.ts';
import { createLambdaContext } from '../../../local/lambda/lambda-context.ts';

const CANARY = 'a-credential-in-a-message';
// The keys of a closed table are its codes.
const codes = Object.keys(statusByCode) as BrokerErrorCode[];

function contextWith(timeoutMs: number, now = Date.now): Context {
  return createLambdaContext({ functionName: 'token', requestId: 'lambda-request', timeoutMs, now });
}

/** An event with only the members that the wrapper reads. */
const event = {
  httpMethod: 'GET',
  resource: '/tokens/{connection}/{subject}',
  path: '/tokens/helpdesk/system',
  pathParameters: { connection: 'helpdesk', subject: 'system' },
  requestContext: {
    requestId: 'request-0001',
    identity: { userArn: 'arn:aws:iam::123456789012:role/reporting', accountId: '123456789012' },
  },
} as unknown as ApiEvent;

/** A function whose work is `work`, and what it logged. */
function functionOf(work: () => Promise<never>) {
  const logged: unknown[] = [];
  const telemetry: Telemetry = {
    metrics: (...line) => logged.push(line),
    warn: (...line) => logged.push(line),
    info: (...line) => logged.push(line),
  };
  const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => undefined };
  return { run: createApiFunction({ clock, telemetry }, work), logged };
}

describe('an error thrown by a function', () => {
  it('becomes 500 internal, and neither answer nor log holds its message', async () => {
    const cause = new Error(CANARY);
    const { run, logged } = functionOf(async () => {
      throw new TypeError(`cannot read ${CANARY}`, { cause });
    });
    const { statusCode, body = '' } = await run(event, contextWith(27_000));
    expect(statusCode).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ code: 'internal', status: 500, request_id: 'request-0001' });
    expect(body).not.toContain(CANARY);
    expect(JSON.stringify(logged)).not.toContain(CANARY);
    // Enough to find the place: the kind of error and where it was thrown.
    expect(JSON.stringify(logged)).toContain('TypeError');
    expect(JSON.stringify(logged)).toContain('api/function.test.ts');
  });

  it.each([
    ['a text', CANARY],
    ['nothing', undefined],
    ['an object', { status: 200, message: CANARY }],
  ])('becomes 500 internal where it is %s', async (_what, thrown) => {
    const { run } = functionOf(() => Promise.reject(thrown));
    const answer = await run(event, contextWith(27_000));
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain(CANARY);
  });

  it('is 504 deadline_exceeded where it does not end in time', async () => {
    const { run } = functionOf(() => new Promise(() => undefined));
    const { statusCode, body = '' } = await run(event, contextWith(3_050));
    expect(statusCode).toBe(504);
    expect(JSON.parse(body)).toMatchObject({ code: 'deadline_exceeded', request_id: 'request-0001' });
  });

  it('invariant 14: works to a deadline of 24 s less a second, of the 27 s of its Lambda', async () => {
    const left: number[] = [];
    const clock = { now: () => Date.now(), monotonic: () => 1_000, sleep: async () => undefined };
    const telemetry: Telemetry = { metrics: () => {}, warn: () => {}, info: () => {} };
    const run = createApiFunction({ clock, telemetry }, async ({ deadline }) => {
      left.push(deadline - 1_000);
      return { statusCode: 204, body: '' };
    });
    await run(
      event,
      contextWith(27_000, () => 0),
    );
    expect(left).toEqual([23_000]);
  });
});

describe('a problem response', () => {
  it.each(codes)('%s: has every member, its status and no-store', (code) => {
    const { statusCode, headers, body = '' } = createProblemResponse(new BrokerError(code, 'What to do.'), 'id');
    expect(statusCode).toBe(statusByCode[code]);
    expect(titleByCode[code]).toMatch(/\S/);
    expect(headers).toEqual({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(JSON.parse(body)).toEqual({
      type: `urn:token-broker:error:${code}`,
      title: titleByCode[code],
      status: statusByCode[code],
      detail: 'What to do.',
      code,
      request_id: 'id',
    });
  });

  it('has the statuses that callers were promised', () => {
    const promised: Readonly<Record<number, RegExp>> = {
      400: /^(invalid_|subject_not_supported|min_ttl_)/,
      403: /^(forbidden|proxy_not_allowed|handout_disabled)$/,
      404: /^(not_found|unknown_connection)$/,
      405: /^method_not_allowed$/,
      413: /^payload_too_large$/,
      415: /^unsupported_media_type$/,
      429: /^renewal_throttled$/,
      500: /^internal$/,
      502: /^(upstream_(credential|account|subject|login|invalid|token|redirect|tls|response|request)|reauthorization_required$)/,
      503: /^(upstream_(session_limit|throttled|unavailable|unreachable|outcome_unknown)|cooldown|login_limited|refresh_in_progress|\w+_unavailable|secret_invalid)$/,
      504: /^(upstream_timeout|deadline_exceeded)$/,
    };
    for (const code of codes) expect(code).toMatch(promised[statusByCode[code]] ?? /^$/);
  });

  it.each([
    [1, '1'],
    [999, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [-5, '1'],
    [1_800_000, '1800'],
  ])('rounds %i ms up to Retry-After: %s', (retryAfterMs, header) => {
    const { headers } = createProblemResponse(new BrokerError('cooldown', 'Wait.', { retryAfterMs }), 'id');
    expect(headers).toMatchObject({ 'retry-after': header });
  });

  it('names the cause in a cooldown, and the methods in a 405', () => {
    const cooldown = new BrokerError('cooldown', 'Wait.', { cause: 'upstream_timeout' });
    expect(JSON.parse(createProblemResponse(cooldown, 'id').body ?? '')).toMatchObject({ cause: 'upstream_timeout' });
    const method = new BrokerError('method_not_allowed', 'No.', { allow: ['GET', 'POST'] });
    expect(createProblemResponse(method, 'id').headers).toMatchObject({ allow: 'GET, POST' });
  });

  it('keeps nothing of an error that is not its own', () => {
    const error = toBrokerError(new Error(CANARY));
    expect(error.code).toBe('internal');
    expect(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toContain(CANARY);
  });
});

it('times are whole seconds in UTC that have begun', () => {
  expect(isoSeconds(1_800_000_000_999)).toBe('2027-01-15T08:00:00Z');
  expect(isoSeconds(0)).toBe('1970-01-01T00:00:00Z');
});
