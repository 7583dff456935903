import type { APIGatewayProxyResult } from 'aws-lambda';
import { BrokerError } from '../core/words/errors.ts';
import type { Telemetry } from '../core/words/platform.ts';
import { titleByCode } from './titles.ts';

/** Number of stack frames to log, the nearest to the fault. */
const FRAMES = 5;

/** Turns whatever was thrown into a `BrokerError`; what is not one becomes `internal`, and nothing of it is kept. */
export function toBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  return new BrokerError('internal', "Something unforeseen happened. The function's log has it under the request id.");
}

/**
 * Logs where an unforeseen error came from, but not its message: that may quote anything. Counts it for the version of the
 * function, which is rolled back by it while it is new.
 */
export function reportUnforeseen(telemetry: Telemetry, error: unknown, requestId: string): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' };
  const at = (stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, FRAMES);
  telemetry.warn('Something unforeseen was thrown.', { name, at: at.join(' '), requestId });
  const { AWS_LAMBDA_FUNCTION_NAME: functionName, AWS_LAMBDA_FUNCTION_VERSION: version } = process.env;
  if (functionName === undefined || version === undefined) return;
  const of = { function: functionName, version };
  telemetry.metrics(of, { UnforeseenErrors: { unit: 'Count', value: 1 } }, { isShared: true });
}

/** An error as an RFC 9457 problem, with `Retry-After` in whole seconds where the time is known (RFC 9110 §10.2.3). */
export function createProblemResponse(error: BrokerError, requestId: string): APIGatewayProxyResult {
  const { code, status, detail, causeCode, retryAfterMs, allow } = error;
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
      ...(allow === undefined ? {} : { allow: allow.join(', ') }),
    },
    body: JSON.stringify({
      type: `urn:token-broker:error:${code}`,
      title: titleByCode[code],
      status,
      detail,
      code,
      request_id: requestId,
      ...(causeCode === undefined ? {} : { cause: causeCode }),
    }),
  };
}
