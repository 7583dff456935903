import { randomUUID } from 'node:crypto';
import type { LocalFunction } from '../lambda/invoke.ts';
import type { SecretSource } from '../secret-source.ts';
import { AwsError, invalidRequest, unknownOperation } from './aws-error.ts';
import { type AwsService, createFaults, type FaultMode, type Faults } from './faults.ts';
import { createMemoryKeptSecrets, type KeptSecretStore } from './kept-secret-store.ts';
import { createLocalKmsKey } from './kms.ts';
import { createLambdaInvoker, type FunctionErrorReport, isInvoke, MAX_SYNC_PAYLOAD_BYTES } from './lambda-invoke.ts';
import { createKeyCheck } from './loopback-keys.ts';
import {
  type LoopbackAnswer,
  type LoopbackReply,
  type LoopbackRequest,
  startLoopbackServer,
} from './loopback-server.ts';
import type { OperatorSecrets } from './operator-secrets.ts';
import { answerSecretsManager } from './secrets-manager.ts';

export type { AwsService, Fault, FaultMode, Faults } from './faults.ts';
export type { FunctionErrorReport } from './lambda-invoke.ts';

/** Running stand-in for the AWS services that the broker calls, except DynamoDB. */
export interface LoopbackAws {
  /** Endpoint for the SDK's Secrets Manager, KMS and Lambda clients: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly faults: Faults;
  /** Resolves when all invocations have ended, asynchronous ones too, or after a short while. */
  drain(): Promise<void>;
  /** Stops answering, then waits a short while for running invocations. */
  close(): Promise<void>;
}

/** Options of the loopback endpoint. */
export interface LoopbackAwsOptions {
  /** 0, the default, picks a free one. */
  readonly port?: number;
  readonly secrets: SecretSource;
  /** The same secrets with their candidates. Without them nobody writes those. */
  readonly operators?: OperatorSecrets;
  /** Key that every request must be signed with. Tests alone leave it out. */
  readonly secretAccessKey?: string;
  /** Secrets that the functions write; none by default. */
  readonly kept?: KeptSecretStore;
  /** Key of 32 bytes that wraps the data keys. */
  readonly masterKey: Buffer;
  /** Functions by name. Read at each request, so they may be added after the start. */
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Called for every failed invocation, synchronous or not. */
  readonly onFunctionError?: (report: FunctionErrorReport) => void;
}

const DRAIN_MS = 5_000;
// Secrets and data keys need far less than an event.
const MAX_JSON_BYTES = 96 * 1024;
// A little over the limit, so that an event that is too large gets Lambda's own answer.
const MAX_BODY_BYTES = MAX_SYNC_PAYLOAD_BYTES + 1024;

const SERVICE_BY_TARGET_PREFIX = new Map<string, Exclude<AwsService, 'lambda'>>([
  ['secretsmanager', 'secretsmanager'],
  ['TrentService', 'kms'],
]);

/**
 * Starts a server on 127.0.0.1 that the real AWS SDK clients can use as Secrets Manager, KMS and Lambda.
 *
 * It has the operations that the broker uses: GetSecretValue, DescribeSecret, PutSecretValue, UpdateSecretVersionStage,
 * GenerateDataKey, Decrypt, Invoke. It answers no request that a web page could make, and none that is not signed with
 * `secretAccessKey`.
 */
export async function startLoopbackAws(options: LoopbackAwsOptions): Promise<LoopbackAws> {
  const {
    port = 0,
    secretAccessKey,
    secrets,
    operators,
    kept = createMemoryKeptSecrets(),
    masterKey,
    functions,
    onFunctionError,
  } = options;
  const faults = createFaults<AwsService>();
  const kms = createLocalKmsKey(masterKey);
  const invoker = createLambdaInvoker({ functions, onFunctionError: onFunctionError ?? (() => undefined) });

  async function answer(request: LoopbackRequest): Promise<LoopbackAnswer> {
    const requestId = randomUUID();
    const call = callIn(request);
    if (call === undefined) return replyWith(unknownOperation(), requestId);

    const mode = faults.take(call.service, call.operation);
    if (mode === 'hang' || mode === 'reset') return mode;
    const reply = await perform(request, call, mode, requestId);
    return mode === 'lose-reply' ? 'reset' : reply;
  }

  async function perform(
    request: LoopbackRequest,
    call: Call,
    mode: FaultMode,
    requestId: string,
  ): Promise<LoopbackReply> {
    try {
      const refusal = refusalFor(call.service, mode);
      if (refusal !== undefined) throw refusal;
      if (call.service === 'lambda') {
        const { status, headers, body } = await invoker.answer(request, requestId);
        return { status, headers: { ...headers, 'x-amzn-requestid': requestId }, body };
      }
      const input = parseJson(request.body);
      const output =
        call.service === 'kms'
          ? kms.answer(call.operation, input)
          : await answerSecretsManager(call.operation, input, { secrets, operators, kept });
      return { status: 200, headers: jsonHeaders(requestId), body: JSON.stringify(output) };
    } catch (error) {
      if (error instanceof AwsError) return replyWith(error, requestId);
      return replyWith(new AwsError(500, 'InternalFailure', 'the local endpoint failed'), requestId);
    }
  }

  const mayEnter = secretAccessKey === undefined ? undefined : createKeyCheck(secretAccessKey);
  const server = await startLoopbackServer({ port, maxBodyBytes: MAX_BODY_BYTES, mayEnter, answer });
  const drain = () => invoker.drain(DRAIN_MS);
  return {
    endpoint: server.endpoint,
    faults,
    drain,
    async close() {
      await server.close();
      await drain();
    },
  };
}

interface Call {
  readonly service: AwsService;
  readonly operation: string;
}

function callIn(request: LoopbackRequest): Call | undefined {
  if (isInvoke(request)) return { service: 'lambda', operation: 'Invoke' };
  const target = request.headers['x-amz-target'];
  if (request.method !== 'POST' || typeof target !== 'string') return undefined;
  const [prefix, operation] = target.split('.');
  const service = SERVICE_BY_TARGET_PREFIX.get(prefix ?? '');
  return service === undefined || operation === undefined ? undefined : { service, operation };
}

function parseJson(body: Buffer): unknown {
  if (body.length > MAX_JSON_BYTES) throw invalidRequest('the request is too large');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError(400, 'SerializationException', 'the request is not JSON');
  }
}

/** Answers for the faults by service: name and status as in its API reference. */
const REFUSALS = {
  secretsmanager: {
    down: [500, 'InternalServiceError'],
    throttle: [400, 'ThrottlingException'],
    deny: [400, 'AccessDeniedException'],
  },
  kms: {
    down: [500, 'KMSInternalException'],
    throttle: [400, 'ThrottlingException'],
    deny: [400, 'AccessDeniedException'],
  },
  lambda: {
    down: [500, 'ServiceException'],
    throttle: [429, 'TooManyRequestsException'],
    deny: [403, 'AccessDeniedException'],
  },
} satisfies Record<AwsService, Record<'down' | 'throttle' | 'deny', readonly [number, string]>>;

function refusalFor(service: AwsService, mode: FaultMode): AwsError | undefined {
  if (mode !== 'down' && mode !== 'throttle' && mode !== 'deny') return undefined;
  const [status, code] = REFUSALS[service][mode];
  return new AwsError(status, code, `a fault that was asked for: ${mode}`);
}

// The JSON 1.1 services read the error's name from `__type`, Lambda's REST protocol from the header.
function replyWith(error: AwsError, requestId: string): LoopbackReply {
  return {
    status: error.status,
    headers: { ...jsonHeaders(requestId), 'x-amzn-errortype': error.code },
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message }),
  };
}

function jsonHeaders(requestId: string): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId };
}
