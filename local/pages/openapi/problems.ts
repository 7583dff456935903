import { remedyByCode } from '../../../client/remedies.ts';
import { type GatewayAnswer, gatewayAnswers, writeGatewayAnswer } from '../../../functions/api/gateway-responses.ts';
import { titleByCode } from '../../../functions/api/titles.ts';
import { type BrokerErrorCode, statusByCode } from '../../../functions/core/words/errors.ts';
import { keysOf } from './code-table.ts';
import { EXAMPLE_REQUEST_ID } from './examples.ts';
import { type JsonSchema, ref } from './schemas.ts';

/** Operations with problems of their own. */
export type ProblemOperation = 'hand-out' | 'reject' | 'purge' | 'connections' | 'connection' | 'try' | 'proxy';

/** Status of a request line and headers over 10,240 bytes, for which API Gateway has no type of its own. */
const TOO_LONG = 431;

const every = ['hand-out', 'reject', 'purge', 'connections', 'connection', 'try', 'proxy'] as const;
const named = ['hand-out', 'reject', 'purge', 'connection', 'try', 'proxy'] as const;
const ofSubjects = ['hand-out', 'reject', 'purge', 'try', 'proxy'] as const;
const handingOut = ['hand-out', 'reject'] as const;
const handingOn = ['hand-out', 'reject', 'proxy'] as const;
const minting = [...handingOn, 'try'] as const;

type UpstreamCode = Extract<BrokerErrorCode, `upstream_${string}`>;

/** Operations by code; all that mint answer the upstream's failures. A new code does not compile until it is here. */
const operationsByCode = {
  invalid_request: every,
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

/** API Gateway's own answers by status, on every route. */
const gatewayByStatus = Map.groupBy(
  Object.values<GatewayAnswer>(gatewayAnswers).filter(({ code }) => code !== 'not_found'),
  ({ status = TOO_LONG }) => status,
);

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

/** Builds the problem responses of every operation: all of its codes, and API Gateway's own. */
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

/** Builds API Gateway's own answers alone, by status. */
export function gatewayResponses(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries([...gatewayByStatus.keys()].map((status) => [status, responseOf(status, [], undefined)]));
}

function responseOf(
  status: number,
  codes: readonly BrokerErrorCode[],
  operation: ProblemOperation | undefined,
): JsonSchema {
  const byGateway = gatewayByStatus.get(status) ?? [];
  const lines = codes.map((code) => `- \`${code}\`: ${titleByCode[code]}. ${remedyByCode[code]}`);
  const gatewayLines = byGateway.map(({ code, detail }) => `- API Gateway itself, \`${code}\`: ${detail}`);
  const all = [...new Set([...codes, ...byGateway.map(({ code }) => code)])];
  return {
    description: [...lines, ...gatewayLines].join('\n'),
    headers: operation === 'proxy' ? { ...headers, ...errorHeader(all) } : headers,
    content: {
      'application/problem+json': { schema: problemSchema(status, all), examples: problemExamples(status, codes) },
    },
  };
}

/** Lists the codes that some operation answers. */
function codesAnswered(): readonly BrokerErrorCode[] {
  return keysOf(statusByCode).filter((code) => isUpstreamCode(code) || operationsByCode[code].length > 0);
}

/** Names the examples of a response: one for each code, and for each of API Gateway's own answers. */
function problemExamples(status: number, codes: readonly BrokerErrorCode[]): JsonSchema {
  const ofGateway = keysOf(gatewayAnswers).filter((type) =>
    gatewayByStatus.get(status)?.includes(gatewayAnswers[type]),
  );
  const names = [...codes, ...ofGateway];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/examples/${name}` }]));
}

/** Members of the examples whose remedy speaks of another member. */
const toldBesides: Partial<Record<BrokerErrorCode, Readonly<Record<string, string>>>> = {
  invalid_request: { detail: 'min_ttl must be given once, as a whole number of seconds: min_ttl=300.' },
  cooldown: { cause: 'upstream_unavailable' },
};

/** Builds an example of every problem, by its code; of API Gateway's own answers, by their type. */
export function componentExamples(): Readonly<Record<string, JsonSchema>> {
  const own = codesAnswered().map((code) => {
    const title = titleByCode[code];
    const value = {
      type: `urn:token-broker:error:${code}`,
      title,
      status: statusByCode[code],
      detail: remedyByCode[code].replaceAll('`', ''),
      code,
      request_id: EXAMPLE_REQUEST_ID,
      ...toldBesides[code],
    };
    return [code, { summary: title, value }];
  });
  const ofGateway = keysOf(gatewayAnswers)
    .filter((type) => gatewayAnswers[type].code !== 'not_found')
    .map((type) => {
      const { body } = writeGatewayAnswer(type, EXAMPLE_REQUEST_ID);
      return [type, { summary: `API Gateway itself: ${body.title}`, value: body }];
    });
  return Object.fromEntries([...own, ...ofGateway]);
}

function problemSchema(status: number, codes: readonly string[]): JsonSchema {
  return { allOf: [ref('Problem'), { properties: { status: { const: status }, code: { enum: codes } } }] };
}

function errorHeader(codes: readonly string[]) {
  return {
    'Token-Broker-Error': {
      description: 'The code; it is on answers of the broker and its API only, never on one of the upstream’s.',
      schema: { enum: codes },
    },
  };
}

function codesOf(operation: ProblemOperation, status: number): readonly BrokerErrorCode[] {
  return keysOf(statusByCode).filter((code) => {
    const operations: readonly ProblemOperation[] = isUpstreamCode(code) ? minting : operationsByCode[code];
    return statusByCode[code] === status && operations.includes(operation);
  });
}

function isUpstreamCode(code: BrokerErrorCode): code is UpstreamCode {
  return code.startsWith('upstream_');
}

function statusesOf(operation: ProblemOperation): readonly number[] {
  const own = Object.values(statusByCode).flatMap((status) => (codesOf(operation, status).length > 0 ? [status] : []));
  const all = new Set<number>([...own, ...gatewayByStatus.keys()]);
  return [...all].sort((one, other) => one - other);
}

function responseName(operation: ProblemOperation, status: number): string {
  return `${operation}-${status}`;
}
