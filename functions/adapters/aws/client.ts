import type { MetadataBearer, MiddlewareStack } from '@smithy/types';
import { USER_AGENT } from '../../http/user-agent.ts';
import { createAwsSha256 } from './sha256.ts';

/** The AWS services that the broker calls, as in the environment variables that name their endpoints. */
export type AwsServiceName = 'DYNAMODB' | 'KMS' | 'SECRETS_MANAGER' | 'LAMBDA';

/** Settings of one service's client. */
export interface AwsClientSettings {
  readonly service: AwsServiceName;
  /** Time limit of connecting, TLS included. 1 s by default. */
  readonly connectionTimeoutMs?: number;
  /** Time limit of each attempt, from sending to the first byte of the answer. 2 s by default. */
  readonly requestTimeoutMs?: number;
  /** Number of attempts, including the first. 3 by default. */
  readonly maxAttempts?: number;
  /** Reuse connections. Without, their number is not limited. True by default. */
  readonly keepAlive?: boolean;
}

/** The part of every SDK client's configuration that the broker decides. */
export interface AwsClientConfig {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: () => Promise<AwsCredentials>;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly defaultsMode: 'standard';
  readonly cacheMiddleware: true;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  readonly accountIdEndpointMode: 'preferred';
  readonly disableClockSkewCorrection: false;
  readonly ignoreConfiguredEndpointUrls: true;
  readonly authSchemePreference: () => Promise<string[]>;
  readonly userAgentAppId: () => Promise<string | undefined>;
  readonly sha256: ReturnType<typeof createAwsSha256>;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
    readonly httpAgent: AgentSettings;
    readonly httpsAgent: AgentSettings;
  };
}

interface AgentSettings {
  readonly keepAlive: boolean;
  readonly maxSockets: number;
}

interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A function's environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;
const MAX_ATTEMPTS = 3;
// A request that waits for a free socket spends its connection timeout; the schedule sends hundreds at once.
const MAX_SOCKETS = 512;

/**
 * Configures an SDK client from the environment: `AWS_REGION`, `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL`, and
 * the keys that Lambda puts there.
 *
 * With keys in the environment the SDK's default credential chain stays unused: it costs a cold start tens of
 * milliseconds. Region and keys that the environment lacks are left to the SDK's own defaults. The rest is said here, so
 * that the SDK does not look for files of a user's profile, which a function does not have.
 */
export function awsClientConfig(settings: AwsClientSettings, environment: Environment = process.env): AwsClientConfig {
  const { service, connectionTimeoutMs = CONNECTION_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = settings;
  const { maxAttempts = MAX_ATTEMPTS, keepAlive = true } = settings;
  const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'];
  const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] || environment['AWS_ENDPOINT_URL'];
  const credentials = readCredentials(environment);
  // A limited `maxSockets` makes Node reuse connections even with `keepAlive: false`.
  const agent = { keepAlive, maxSockets: keepAlive ? MAX_SOCKETS : Number.POSITIVE_INFINITY };
  return {
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials: async () => credentials }),
    maxAttempts,
    retryMode: 'standard',
    defaultsMode: 'standard',
    // Nobody adds to a client's middleware, so it need not be put together again for every request.
    cacheMiddleware: true,
    useFipsEndpoint: environment['AWS_USE_FIPS_ENDPOINT'] === 'true',
    useDualstackEndpoint: environment['AWS_USE_DUALSTACK_ENDPOINT'] === 'true',
    accountIdEndpointMode: 'preferred',
    disableClockSkewCorrection: false,
    ignoreConfiguredEndpointUrls: true,
    authSchemePreference: async () => [],
    userAgentAppId: async () => undefined,
    sha256: createAwsSha256(),
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Without this the SDK only warns, and keeps waiting.
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

/**
 * Removes from a client the middleware that costs each request time, and gives nothing to the broker: the log, which
 * copies every answer; the user agent, which is put together from some twenty parts, where the broker's name says more in
 * CloudTrail; and the detection of functions that invoke themselves through the service, which these services cannot.
 */
export function trimClient<
  Input extends object,
  Output extends MetadataBearer,
  Client extends { readonly middlewareStack: MiddlewareStack<Input, Output> },
>(client: Client): Client {
  const { middlewareStack } = client;
  for (const name of ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware']) {
    middlewareStack.remove(name);
  }
  middlewareStack.add(
    (next) => (args) => {
      // At this step a request is one of HTTP, whose headers are its own.
      Object.assign((args.request as { readonly headers: object }).headers, { 'user-agent': USER_AGENT });
      return next(args);
    },
    { step: 'build', name: 'userAgentMiddleware' },
  );
  return client;
}

function readCredentials(environment: Environment): AwsCredentials | undefined {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
