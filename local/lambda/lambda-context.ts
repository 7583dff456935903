import type { Context } from 'aws-lambda';
import { LOCAL_REGION } from '../gateway/sigv4.ts';

/** Options of a local invocation's context. */
export interface LambdaContextOptions {
  readonly functionName: string;
  /** Value of `awsRequestId`. */
  readonly requestId: string;
  readonly timeoutMs: number;
  /** Clock of `getRemainingTimeInMillis`, in epoch milliseconds. */
  readonly now: () => number;
}

const LOCAL_ACCOUNT_ID = '000000000000';
const MEMORY_LIMIT_IN_MB = '512';

/** Builds the ARN of a local function, in account 000000000000 of us-east-1. */
export function localFunctionArn(functionName: string): string {
  return `arn:aws:lambda:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}:function:${functionName}`;
}

/**
 * Creates the context of one invocation, complete as the Node.js runtime gives it.
 *
 * The remaining time counts down from `timeoutMs`, starting now, to 0. The runtime for Node.js 24 no longer has `done`,
 * `fail` and `succeed`; the type still requires them, so here they throw.
 */
export function createLambdaContext({ functionName, requestId, timeoutMs, now }: LambdaContextOptions): Context {
  const deadline = now() + timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: localFunctionArn(functionName),
    memoryLimitInMB: MEMORY_LIMIT_IN_MB,
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: '[$LATEST]local',
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - now())),
    done: refuseCallbackStyle,
    fail: refuseCallbackStyle,
    succeed: refuseCallbackStyle,
  };
}

function refuseCallbackStyle(): never {
  throw new Error('a handler answers by its promise: the Node.js 24 runtime has no done, fail or succeed');
}
