import { remedyByCode } from '../../../client/remedies.ts';
import { type BrokerErrorCode, errorCodes } from '../../../functions/core/words/errors.ts';
import { keysOf } from './code-table.ts';
import { type JsonSchema, ref } from './schemas.ts';

/** Operations with problems of their own. */
export type ProblemOperation = 'hand-out' | 'reject' | 'purge' | 'connections' | 'connection' | 'try' | 'proxy';

const every = ['hand-out', 'reject', 'purge', 'connections', 'connection', 'try', 'proxy'] as const;
const named = ['hand-out', 'reject', 'purge', 'connection', 'try', 'proxy'] as const;
const ofSubjects = ['hand-out', 'reject', 'purge', 'try', 'proxy'] as const;
const handingOut = ['hand-out', 'reject'] as const;
const handingOn = ['hand-out', 'reject', 'proxy'] as const;
const minting = [...handingOn, 'try'] as const;

type UpstreamCode = Extract<BrokerErrorCode, `upstream_${string}`>;

/** Operations by code; all that mint answer the upstream's failures. A new code does not compile until it is here. */
const operationsByCode = {
  invalid_request: ['hand-out', 'reject', 'connection', 'try', 'proxy'],
  invalid_subject: ofSubjects,
  subject_not_supported: ofSubjects,
  min_ttl_unsatisfiable: handingOut,
  forbidden: every,
  proxy_not_allowed: ['proxy'],
  handout_disabled: handingOut,
  not_found: ['proxy'],
  unknown_connection: named,
  // Answered for methods and paths without an operation.
  method_not_allowed: [],
  payload_too_large: ['reject', 'try', 'proxy'],
  unsupported_media_type: ['reject', 'try'],
  renewal_throttled: ['reject', 'try'],
  login_limited: minting,
  internal: every,
  reauthorization_required: minting,
  cooldown: minting,
  refresh_in_progress: minting,
  secret_unavailable: minting,
  secret_invalid: minting,
  store_unavailable: named,
  kms_unavailable: minting,
  mint_unavailable: minting,
  audit_unavailable: handingOn,
  deadline_exceeded: every,
} as const satisfies Record<Exclude<BrokerErrorCode, UpstreamCode>, readonly ProblemOperation[]>;

/** API Gateway's own answers, on every route. */
const gatewayMessages: Readonly<Record<number, string>> = {
  403: 'The signature is missing or wrong, or the caller has no grant.',
  413: 'The request is larger than the API takes.',
  429: 'The API is throttled.',
  431: 'The request line and headers are larger than 10,240 bytes.',
  500: 'The function failed.',
  503: 'The function did not answer in time.',
};

const headers = {
  'Retry-After': {
    description: 'Whole seconds until the next attempt can succeed, where that is known.',
    schema: { type: 'integer', minimum: 1 },
  },
};

/** Builds the problem responses of an operation by status, as references to `componentResponses`. */
export function problemResponses(operation: ProblemOperation): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    statusesOf(operation).map((status) => [
      String(status),
      { $ref: `#/components/responses/${responseName(operation, status)}` },
    ]),
  );
}

/** Builds the problem responses of every operation: all of its codes, and API Gateway's own messages. */
export function componentResponses(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    every.flatMap((operation) =>
      statusesOf(operation).map((status) => [
        responseName(operation, status),
        responseOf(status, codesOf(operation, status), operation),
      ]),
    ),
  );
}

/** Builds API Gateway's own messages alone, by status. */
export function gatewayResponses(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    Object.keys(gatewayMessages).map((status) => [status, responseOf(Number(status), [], undefined)]),
  );
}

function responseOf(
  status: number,
  codes: readonly BrokerErrorCode[],
  operation: ProblemOperation | undefined,
): JsonSchema {
  const message = gatewayMessages[status];
  const lines = codes.map((code) => `- \`${code}\`: ${errorCodes[code].title}. ${remedyByCode[code]}`);
  const gateway = message === undefined ? [] : [`- API Gateway itself, \`{"message"}\`: ${message}`];
  return {
    description: [...lines, ...gateway].join('\n'),
    ...(codes.length === 0 ? {} : { headers: operation === 'proxy' ? { ...headers, ...errorHeader(codes) } : headers }),
    content: {
      ...(codes.length === 0 ? {} : { 'application/problem+json': { schema: problemSchema(status, codes) } }),
      ...(message === undefined ? {} : { 'application/json': { schema: ref('GatewayMessage') } }),
    },
  };
}

function problemSchema(status: number, codes: readonly BrokerErrorCode[]): JsonSchema {
  return { allOf: [ref('Problem'), { properties: { status: { const: status }, code: { enum: codes } } }] };
}

function errorHeader(codes: readonly BrokerErrorCode[]) {
  return {
    'Token-Broker-Error': {
      description: 'The code; it is on the broker’s own answers only, never on one of the upstream’s.',
      schema: { enum: codes },
    },
  };
}

function codesOf(operation: ProblemOperation, status: number): readonly BrokerErrorCode[] {
  return keysOf(errorCodes).filter((code) => {
    const operations: readonly ProblemOperation[] = isUpstreamCode(code) ? minting : operationsByCode[code];
    return errorCodes[code].status === status && operations.includes(operation);
  });
}

function isUpstreamCode(code: BrokerErrorCode): code is UpstreamCode {
  return code.startsWith('upstream_');
}

function statusesOf(operation: ProblemOperation): readonly number[] {
  const own = Object.values(errorCodes).flatMap(({ status }) =>
    codesOf(operation, status).length > 0 ? [status] : [],
  );
  const all = new Set<number>([...own, ...Object.keys(gatewayMessages).map(Number)]);
  return [...all].sort((one, other) => one - other);
}

function responseName(operation: ProblemOperation, status: number): string {
  return `${operation}-${status}`;
}
