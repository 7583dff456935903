import { InvokeCommand, LambdaClient, LambdaServiceException } from '@aws-sdk/client-lambda';
import type { Connection } from '../../core/slot/connection.ts';
import type { LogoutRequest, MintOutcome, MintReply, MintRequest } from '../../core/slot/mint-message.ts';
import type { MintInvoker } from '../../core/slot/minter.ts';
import { isBrokerErrorCode } from '../../core/words/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/words/json.ts';
import { awsClientConfig, type Environment } from './client.ts';

const ASK_TIMEOUT_MS = 2_000;
/** Longer than for other services: each invocation needs a new connection, and a busy process may stand still for a second. */
const CONNECTION_TIMEOUT_MS = 3_000;
// Above every `timeoutMs` asked for; the request's own timer ends it earlier.
const LONGEST_INVOCATION_MS = 60_000;

/**
 * Creates the Lambda client for `mint`: one attempt, since a second one could log in again.
 *
 * It does not keep connections. One that died while the instance was frozen fails only after the request was written
 * to it, which would read as sent, and nothing here may be sent twice.
 */
export function createLambdaClient(environment: Environment = process.env): LambdaClient {
  return new LambdaClient(
    awsClientConfig(
      {
        service: 'LAMBDA',
        maxAttempts: 1,
        connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
        requestTimeoutMs: LONGEST_INVOCATION_MS,
        keepAlive: false,
      },
      environment,
    ),
  );
}

/** Creates the invoker of the `mint` functions; `functionNameOf` gives the name or ARN of a connection's. */
export function createLambdaMint({
  client,
  functionNameOf,
}: {
  readonly client: LambdaClient;
  readonly functionNameOf: (connection: Connection) => string;
}): MintInvoker {
  return {
    async invoke(connection, request, timeoutMs) {
      const command = new InvokeCommand({
        FunctionName: functionNameOf(connection),
        InvocationType: 'RequestResponse',
        Payload: encodeRequest(request),
      });
      try {
        const output = await withinTime(timeoutMs, (abortSignal) => client.send(command, { abortSignal }));
        const reply = output.FunctionError === undefined ? parseMintReply(output.Payload) : undefined;
        return reply === undefined ? { kind: 'function_error' } : { kind: 'reply', reply };
      } catch (error) {
        return { kind: isSurelyNotRun(error) ? 'refused' : 'unanswered' };
      }
    },

    async ask(connection, request) {
      try {
        const command = new InvokeCommand({
          FunctionName: functionNameOf(connection),
          InvocationType: 'Event',
          Payload: encodeRequest(request),
        });
        await withinTime(ASK_TIMEOUT_MS, (abortSignal) => client.send(command, { abortSignal }));
        return true;
      } catch {
        // Whoever asks for a token has a good one; the next reader asks again.
        return false;
      }
    },
  };
}

function encodeRequest(request: MintRequest | LogoutRequest): Uint8Array {
  return Buffer.from(JSON.stringify(request), 'utf8');
}

async function withinTime<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reports whether an invocation failed before `mint` could run: Lambda refused the request as such (4xx, throttling
 * among them), or there was no connection to send it on. In doubt it did run.
 */
function isSurelyNotRun(error: unknown): boolean {
  if (error instanceof LambdaServiceException) {
    const status = error.$metadata.httpStatusCode ?? 0;
    return status >= 400 && status < 500;
  }
  if (!(error instanceof Error)) return false;
  const call = 'syscall' in error ? error.syscall : undefined;
  if (call === 'connect' || call === 'getaddrinfo') return true;
  // The SDK tells its connect timeout apart in words only. Should they change, it counts as unanswered: safe too.
  return error.name === 'TimeoutError' && error.message.includes('did not establish a connection');
}

/** Parses the payload that `mint` answered with; undefined where it is no reply. A code not known is `internal`. */
export function parseMintReply(payload: Uint8Array | undefined): MintReply | undefined {
  const parsed = parseJson(payload);
  if (!isJsonObject(parsed)) return undefined;
  const outcome = parseOutcome(parsed);
  const { trial } = parsed;
  const candidate = parseCandidate(parsed['candidate']);
  return outcome && { ...outcome, ...(isJsonObject(trial) && { trial }), ...(candidate && { candidate }) };
}

function parseCandidate(given: JsonValue | undefined): MintReply['candidate'] {
  if (!isJsonObject(given)) return undefined;
  const { versionId, isCurrent } = given;
  return typeof versionId === 'string' && typeof isCurrent === 'boolean' ? { versionId, isCurrent } : undefined;
}

function parseOutcome(parsed: JsonObject): MintOutcome | undefined {
  const { outcome, generation, source, way, code, cause, detail, retryAfterMs } = parsed;
  switch (outcome) {
    case 'published':
      if (typeof generation !== 'number') return undefined;
      if (source !== 'login' && source !== 'slide' && source !== 'refresh') return undefined;
      return { outcome, generation, source };
    case 'failed':
      if (typeof code !== 'string' || typeof detail !== 'string') return undefined;
      return {
        outcome,
        ...(way === 'renewal' && { way }),
        code: isBrokerErrorCode(code) ? code : 'internal',
        ...(typeof cause === 'string' && isBrokerErrorCode(cause) && { cause }),
        detail,
        ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
      };
    case 'busy':
    case 'superseded':
    case 'idle':
    case 'current':
    case 'waiting':
      return { outcome };
    default:
      return undefined;
  }
}

function parseJson(payload: Uint8Array | undefined): JsonValue | undefined {
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
}
