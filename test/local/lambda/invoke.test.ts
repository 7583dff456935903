import { describe, expect, it } from 'vitest';
import { invoke, type LambdaHandler } from '../../../local/lambda/invoke.ts';
import { createLambdaContext, localFunctionArn } from '../../../local/lambda/lambda-context.ts';

function contextAt(now: () => number, timeoutMs = 1_000) {
  return createLambdaContext({ functionName: 'token', requestId: 'r-1', timeoutMs, now });
}

function run(handler: LambdaHandler, event: unknown = {}, timeoutMs = 1_000) {
  return invoke({ functionName: 'token', handler, timeoutMs }, event, { requestId: 'r-1' });
}

describe('createLambdaContext', () => {
  it('names the function, its ARN and the request', () => {
    const context = contextAt(() => 0);

    expect(context).toMatchObject({
      functionName: 'token',
      functionVersion: '$LATEST',
      awsRequestId: 'r-1',
      invokedFunctionArn: localFunctionArn('token'),
      logGroupName: '/aws/lambda/token',
    });
    expect(localFunctionArn('token')).toBe('arn:aws:lambda:us-east-1:000000000000:function:token');
  });

  it('counts the remaining time down by the given clock and stops at nothing', () => {
    let now = 5_000;
    const context = contextAt(() => now, 300);

    expect(context.getRemainingTimeInMillis()).toBe(300);
    now += 120;
    expect(context.getRemainingTimeInMillis()).toBe(180);
    now += 1_000;
    expect(context.getRemainingTimeInMillis()).toBe(0);
  });

  it('refuses the callback style that the Node.js 24 runtime has dropped', () => {
    expect(() => contextAt(() => 0).done()).toThrow(/promise/);
  });
});

describe('invoke', () => {
  it('passes event and context and returns the value', async () => {
    const outcome = await run(async (event: { n: number }, context) => [event.n, context.awsRequestId], { n: 4 });

    expect(outcome).toEqual({ kind: 'returned', value: [4, 'r-1'] });
  });

  it('tells a rejection from an answer', async () => {
    const error = new Error('boom');

    expect(await run(() => Promise.reject(error))).toEqual({ kind: 'failed', error });
  });

  it('takes a throw before the first await for a rejection', async () => {
    const error = new Error('at once');
    const outcome = await run(() => {
      throw error;
    });

    expect(outcome).toEqual({ kind: 'failed', error });
  });

  it('ends at the timeout and drops a late rejection', async () => {
    let rejectLate: (error: Error) => void = () => {};
    const late = new Promise((_, reject) => {
      rejectLate = reject;
    });

    expect(await run(() => late, {}, 10)).toEqual({ kind: 'timed-out', timeoutMs: 10 });
    // An unhandled rejection would fail this run.
    rejectLate(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
