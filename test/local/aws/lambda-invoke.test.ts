import {
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import type { Context } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import type { FunctionErrorReport } from '../../../local/aws/loopback-aws.ts';
import type { LocalFunction } from '../../../local/lambda/invoke.ts';
import { refusalOf, startHarness } from './sdk-clients.ts';

function functions(handler: LocalFunction['handler'], timeoutMs = 5_000): Map<string, LocalFunction> {
  return new Map([['mint-helpdesk', { handler, timeoutMs }]]);
}

async function invoke(lambda: LambdaClient, input: Partial<InvokeCommandInput> = {}) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'mint-helpdesk', ...input }));
  // The client gives null for an empty payload, whatever its type says.
  const text = Buffer.from(answer.Payload ?? '').toString();
  return { ...answer, payload: text === '' ? undefined : JSON.parse(text) };
}

describe('the loopback Lambda', () => {
  it('gives the handler its event and a Lambda context, and the caller the answer', async () => {
    const calls: { event: unknown; context: Context }[] = [];
    const { lambda } = await startHarness({
      functions: functions(async (event, context) => {
        calls.push({ event, context });
        return { ok: 'é' };
      }),
    });

    const answer = await invoke(lambda, { Payload: JSON.stringify({ slot: 'ü' }) });

    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST', payload: { ok: 'é' } });
    expect(answer.FunctionError).toBeUndefined();
    expect(calls).toHaveLength(1);
    expect(calls[0]?.event).toEqual({ slot: 'ü' });
    expect(calls[0]?.context).toMatchObject({
      functionName: 'mint-helpdesk',
      awsRequestId: answer.$metadata.requestId,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:mint-helpdesk',
    });
    const remaining = calls[0]?.context.getRemainingTimeInMillis() ?? 0;
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(5_000);
  });

  it('answers null where the handler answers nothing', async () => {
    const { lambda } = await startHarness({ functions: functions(async () => undefined) });

    expect(await invoke(lambda)).toMatchObject({ StatusCode: 200, payload: null });
  });

  it('answers a function error without its stack, and reports it without its message', async () => {
    const reports: FunctionErrorReport[] = [];
    const { lambda } = await startHarness({
      onFunctionError: (report) => reports.push(report),
      functions: functions(async () => {
        throw new TypeError('broken');
      }),
    });

    const answer = await invoke(lambda, { Payload: '{"secret":"hunter2"}' });

    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(answer.payload).toEqual({ errorMessage: 'broken', errorType: 'TypeError' });
    const requestId = answer.$metadata.requestId;
    expect(reports).toEqual([{ functionName: 'mint-helpdesk', requestId, reason: 'failed with TypeError' }]);
  });

  it('answers a function error where the answer cannot be JSON', async () => {
    const { lambda } = await startHarness({ functions: functions(async () => 1n) });

    expect(await invoke(lambda)).toMatchObject({
      FunctionError: 'Unhandled',
      payload: { errorType: 'Runtime.MarshalError' },
    });
  });

  it('ends the wait at the timeout', async () => {
    const reports: FunctionErrorReport[] = [];
    const { lambda } = await startHarness({
      onFunctionError: (report) => reports.push(report),
      functions: functions(() => new Promise(() => undefined), 50),
    });

    const answer = await invoke(lambda);

    expect(answer.FunctionError).toBe('Unhandled');
    expect(answer.payload.errorMessage).toMatch(/ [0-9a-f-]{36} Task timed out after 0\.05 seconds$/);
    expect(reports).toMatchObject([{ reason: 'timed out after 50 ms' }]);
  });

  it('answers 202 to an Event before the function has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = vi.fn();
    const { lambda } = await startHarness({ functions: functions(() => promise.then(ended)) });

    const answer = await invoke(lambda, { InvocationType: 'Event', Payload: '{}' });

    expect(answer.StatusCode).toBe(202);
    expect(answer.payload).toBeUndefined();
    expect(ended).not.toHaveBeenCalled();
    resolve();
    await expect.poll(() => ended.mock.calls.length).toBe(1);
  });

  it('reports the failure of an Event, to nobody else, and does not try again', async () => {
    const onFunctionError = vi.fn<(report: FunctionErrorReport) => void>();
    const handler = vi.fn(async () => {
      throw new Error('broken');
    });
    const { lambda } = await startHarness({ onFunctionError, functions: functions(handler) });

    expect(await invoke(lambda, { InvocationType: 'Event' })).toMatchObject({ StatusCode: 202 });
    await expect.poll(() => onFunctionError.mock.calls.length).toBe(1);
    expect(onFunctionError.mock.calls[0]?.[0]).toMatchObject({ reason: 'failed with Error' });
    await invoke(lambda).catch(() => undefined);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('waits for Events when it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let ended = false;
    const { aws, lambda } = await startHarness({
      functions: functions(async () => {
        await promise;
        ended = true;
      }),
    });
    await invoke(lambda, { InvocationType: 'Event' });

    const closed = aws.close();
    setImmediate(resolve);
    await closed;
    expect(ended).toBe(true);
  });

  it('refuses an unknown function, a payload that is not JSON and one that is too large, and runs nothing', async () => {
    const handler = vi.fn(async () => 1);
    const { lambda } = await startHarness({ functions: functions(handler) });
    const large = JSON.stringify('x'.repeat(1024 * 1024));

    expect(await refusalOf(invoke(lambda, { FunctionName: 'nope' }))).toEqual({
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nope',
      status: 404,
    });
    const unread = await refusalOf(invoke(lambda, { Payload: '{"secret": hunter2' }));
    expect(unread).toMatchObject({ name: 'InvalidRequestContentException', status: 400 });
    expect(unread.message).not.toContain('hunter2');
    const refused = await refusalOf(invoke(lambda, { InvocationType: 'Event', Payload: large }));
    expect(refused).toMatchObject({ name: 'RequestTooLargeException', status: 413 });
    const tooLarge = await refusalOf(invoke(lambda, { Payload: JSON.stringify('x'.repeat(6 * 1024 * 1024)) }));
    expect(tooLarge).toMatchObject({ name: 'RequestTooLargeException', status: 413 });
    expect(handler).not.toHaveBeenCalled();
    expect(await invoke(lambda, { Payload: large })).toMatchObject({ payload: 1 });
  });

  it('has no other operation', async () => {
    const { lambda } = await startHarness();

    expect((await refusalOf(lambda.send(new ListFunctionsCommand({})))).name).toBe('UnknownOperationException');
  });
});
