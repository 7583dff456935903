import * as z from 'zod';
import { MAXIMUM_BODY_BYTES } from '../../../functions/api/body.ts';
import { type GatewayAnswerType, writeGatewayAnswer } from '../../../functions/api/gateway-responses.ts';
import { SECONDS_PATTERN } from '../../../functions/api/request.ts';
import { MAXIMUM_FORWARDED_BYTES } from '../../../functions/proxy/forwarded-request.ts';
import { EXAMPLE_REQUEST_ID, type ExampleName, examples } from './examples.ts';
import { gatewayResponses, problemResponses } from './problems.ts';
import { connectionName, type JsonSchema, parameterSchema, ref, type SchemaInput, subject } from './schemas.ts';

type Operation = Readonly<Record<string, unknown>>;
type PathItem = Readonly<Record<string, unknown>>;

const PROXIED_METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;
const BODILESS = new Set<string>(['get', 'head', 'options']);

const noStore = { 'Cache-Control': { description: 'No cache may keep it.', schema: { const: 'no-store' } } };

const connectionParameter = {
  name: 'connection',
  in: 'path',
  required: true,
  description: 'The name of a connection, as `GET /connections` lists it.',
  schema: parameterSchema(connectionName),
  example: 'wfm',
};

const subjectParameter = {
  name: 'subject',
  in: 'path',
  required: true,
  description:
    'On whose behalf: `system`, or a user as the connection writes them; `GET /connections/{connection}` says how.',
  schema: parameterSchema(subject),
  example: 'system',
};

const minTtlParameter = {
  name: 'min_ttl',
  in: 'query',
  description:
    'The token must be good for so many seconds. A token before its `refresh_at` is never renewed for it: where it falls short, 400 `min_ttl_unsatisfiable`.',
  schema: parameterSchema(z.string().regex(SECONDS_PATTERN)),
};

const pathParameter = {
  name: 'path',
  in: 'path',
  required: true,
  description:
    'The path under the connection’s `baseUrl`. It goes as it is sent, `%2F` too; dot segments, backslashes and `%` in the decoded path are refused.',
  schema: { type: 'string', minLength: 1 },
  examples: {
    community: { summary: 'with wfm', value: 'SingleRecurringEvent' },
    helpmaster: { summary: 'with helpdesk', value: 'jobs/MyOpenJobs' },
  },
};

/** Describes a body by its schema, with an example. */
function bodyOf(name: ExampleName): JsonSchema {
  return { schema: ref(name), example: examples[name] };
}

function json(name: ExampleName, description: string): JsonSchema {
  return { description, headers: noStore, content: { 'application/json': bodyOf(name) } };
}

const handOutOperation: Operation = {
  operationId: 'handOut',
  tags: ['Tokens'],
  summary: 'Get a token',
  description: 'Hands out the slot’s token, from the cache, or fetched once however many callers ask.',
  parameters: [minTtlParameter],
  responses: { 200: json('HandOut', 'The token.'), ...problemResponses('hand-out') },
};

const rejectOperation: Operation = {
  operationId: 'rejectToken',
  tags: ['Tokens'],
  summary: 'Say that the upstream answered 401 to a token',
  description:
    'If the token is still current it is renewed once, however many callers say so. If it is not, the answer is the current token, and no login is made.',
  parameters: [minTtlParameter],
  requestBody: {
    required: true,
    description: `At most ${MAXIMUM_BODY_BYTES} bytes. \`rejected\` is the SHA-256 of the token’s UTF-8 bytes, in lowercase hex.`,
    content: { 'application/json': bodyOf('Rejection') },
  },
  responses: { 200: json('HandOut', 'The current token.'), ...problemResponses('reject') },
};

const purgeOperation: Operation = {
  operationId: 'purgeSlot',
  tags: ['Operators'],
  summary: 'Drop the cached token, and clear refusal and back-off',
  description:
    'Where the provider has a logout, the dropped token is ended at the upstream too, right after. A warm instance may hand out what it remembers for `memorySeconds` more.',
  responses: {
    204: { description: 'Dropped, or there was none.', headers: noStore },
    ...problemResponses('purge'),
  },
};

const connectionsOperation: Operation = {
  operationId: 'listConnections',
  tags: ['Operators'],
  summary: 'List the connections',
  responses: { 200: json('Connections', 'Every connection.'), ...problemResponses('connections') },
};

const connectionOperation: Operation = {
  operationId: 'getConnection',
  tags: ['Operators'],
  summary: 'See the state of a connection’s slots',
  description: 'Never a token. At most 100 slots; `next` continues.',
  parameters: [
    { name: 'next', in: 'query', description: 'The `next` of the listing before.', schema: { type: 'string' } },
  ],
  responses: { 200: json('ConnectionStatus', 'The state.'), ...problemResponses('connection') },
};

const tryOperation: Operation = {
  operationId: 'tryLogin',
  tags: ['Operators'],
  summary: 'Try one login, and see it step by step',
  description:
    'Logs in once, behind the same lease and gate as any login, whatever token the slot has, and publishes the new one. The answer has names and shapes only: in place of a field of the secret, of a token and of what an answer gave stands its name in braces. With `candidate` it logs in with the candidate of the secret, and makes that very version current if the upstream takes it; else nothing has changed. 200 whenever the upstream was asked, whatever it said: see `result`.',
  requestBody: {
    required: true,
    description: `At most ${MAXIMUM_BODY_BYTES} bytes.`,
    content: { 'application/json': bodyOf('Try') },
  },
  responses: { 200: json('Tried', 'The login, step by step.'), ...problemResponses('try') },
};

/** Describes a refusal of the exchange; `gateway` is API Gateway's own answer of that status, where it has one. */
function exchangeProblem(
  description: string,
  told: Omit<SchemaInput<'ExchangeError'>, 'request_id'>,
  gateway?: GatewayAnswerType,
): JsonSchema {
  return {
    description,
    headers: noStore,
    content: {
      'application/json': { schema: ref('ExchangeError'), example: { ...told, request_id: EXAMPLE_REQUEST_ID } },
      ...(gateway !== undefined && {
        'application/problem+json': {
          schema: ref('Problem'),
          example: writeGatewayAnswer(gateway, EXAMPLE_REQUEST_ID).body,
        },
      }),
    },
  };
}

const exchangeOperation: Operation = {
  operationId: 'exchangeToken',
  tags: ['Tokens'],
  summary: 'Exchange a workload’s OIDC token for an upstream’s token (RFC 8693)',
  description:
    'For callers outside AWS. Trust rules, declared when the broker is deployed, say which workloads may have which connections and subjects.',
  security: [],
  requestBody: {
    required: true,
    description: 'At most 16,384 bytes. No parameter may be there twice.',
    content: { 'application/x-www-form-urlencoded': bodyOf('ExchangeForm') },
  },
  responses: {
    200: json('Exchanged', 'The token.'),
    ...gatewayResponses(),
    400: exchangeProblem(
      'RFC 6749 §5.2: see `error`.',
      {
        error: 'invalid_target',
        error_description: 'No trust rule lets this workload have tokens of this audience and subject.',
      },
      'DEFAULT_4XX',
    ),
    413: exchangeProblem(
      'The form is too large.',
      {
        error: 'invalid_request',
        error_description: 'The body has 20000 bytes; 16384 are allowed.',
        code: 'payload_too_large',
      },
      'REQUEST_TOO_LARGE',
    ),
    415: exchangeProblem('The body is no form.', {
      error: 'invalid_request',
      error_description: 'Send the body as application/x-www-form-urlencoded.',
      code: 'unsupported_media_type',
    }),
    500: exchangeProblem('Something went wrong in the broker.', {
      error: 'server_error',
      error_description: "Something unforeseen happened. The function's log has it under the request id.",
      code: 'internal',
    }),
    503: exchangeProblem(
      'Trouble behind the exchange: an issuer’s keys, the upstream, the store. See `Retry-After`.',
      {
        error: 'temporarily_unavailable',
        error_description: 'The upstream answered 503: it is not available.',
        code: 'upstream_unavailable',
      },
      'DEFAULT_5XX',
    ),
  },
};

/** Answer of an upstream, which may be anything. */
const UPSTREAM_EXAMPLE = { success: true, jobs: [{ jobPKID: 1001, subject: 'Demo job' }] };

function upstreamAnswer(description: string): JsonSchema {
  const headers = { 'Token-Broker-Upstream': { description: 'The connection’s name.', schema: { type: 'string' } } };
  return { description, headers, content: { '*/*': { schema: {}, example: UPSTREAM_EXAMPLE } } };
}

function proxyOperation(method: string): Operation {
  return {
    operationId: `proxy${method.slice(0, 1).toUpperCase()}${method.slice(1)}`,
    tags: ['Proxy'],
    summary: `${method.toUpperCase()} on the upstream, with the token placed`,
    description:
      'The caller never sees token or credential. Methods and paths are those that the connection’s `proxy` policy declares. `Accept*`, `Content-*`, `If-*` and the policy’s own headers are forwarded. On 401 the token is renewed once and the request sent once more. An answer with `Token-Broker-Upstream` is the upstream’s, whatever its status; any other is the broker’s or its API’s.',
    ...(BODILESS.has(method)
      ? {}
      : {
          requestBody: {
            description: `Goes to the upstream as it is. At most ${MAXIMUM_FORWARDED_BYTES} bytes.`,
            content: { '*/*': { schema: {}, example: { subject: 'Demo job' } } },
          },
        }),
    responses: {
      200: upstreamAnswer('The upstream’s own answer.'),
      ...problemResponses('proxy'),
      default: upstreamAnswer('The upstream’s own answer, with any other status.'),
    },
  };
}

/** Paths of the API with their operations. `{path}` stands for the rest of the path, slashes included. */
export const paths: Readonly<Record<string, PathItem>> = {
  '/tokens/{connection}/{subject}': {
    parameters: [connectionParameter, subjectParameter],
    get: handOutOperation,
    post: rejectOperation,
    delete: purgeOperation,
  },
  '/proxy/{connection}/{subject}/{path}': {
    parameters: [connectionParameter, subjectParameter, pathParameter],
    ...Object.fromEntries(PROXIED_METHODS.map((method) => [method, proxyOperation(method)])),
  },
  '/oauth2/token': { post: exchangeOperation },
  '/connections': { get: connectionsOperation },
  '/connections/{connection}': { parameters: [connectionParameter], get: connectionOperation },
  '/connections/{connection}/try': { parameters: [connectionParameter], post: tryOperation },
};
