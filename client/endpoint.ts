import { TokenBrokerError } from './error.ts';

/** Default URL of `npm start`. */
export const DEFAULT_URL = 'http://127.0.0.1:8787';
/** Environment variable for the URL, if no `url` is given. */
const URL_VARIABLE = 'TOKEN_BROKER_URL';

const EXECUTE_API = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
/** Region that `npm start -- --require-sigv4` requires. */
export const LOCAL_REGION = 'us-east-1';

/** Address of a broker. */
export interface Endpoint {
  /** Scheme, host and base path, without a slash at the end. */
  readonly base: string;
  /** The AWS region to sign for. */
  readonly region: string;
  readonly isLoopback: boolean;
}

/** Caller's choices for `endpointOf`. */
export interface EndpointOptions {
  readonly url?: string | undefined;
  readonly region?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds the broker: `url`, else TOKEN_BROKER_URL, else `npm start` on this machine. The region is the one given, else
 * the one in the API's host name, else AWS_REGION. Throws a `usage` error for an invalid or non-https URL, and if no
 * region is known.
 */
export function endpointOf({ url, region, environment }: EndpointOptions): Endpoint {
  const parsed = brokerUrlOf(url ?? nonEmpty(environment[URL_VARIABLE]) ?? DEFAULT_URL);
  const isLoopback = isLoopbackHost(parsed.hostname);
  return {
    base: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`,
    region: region ?? regionOf(parsed, isLoopback, environment),
    isLoopback,
  };
}

/** Reports whether a URL's host name is a loopback name. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}

function brokerUrlOf(text: string): URL {
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new TokenBrokerError('usage', `The broker's URL is not valid. Give it as https://…, or ${DEFAULT_URL}.`);
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new TokenBrokerError('usage', "The broker's URL may not have a user, a password, a query or a fragment.");
  }
  if (parsed.protocol === 'http:' && !isLoopbackHost(parsed.hostname)) {
    throw new TokenBrokerError(
      'usage',
      'Over plain http tokens would travel in the clear: the URL must be https, or of this machine as localhost, 127.0.0.1 or [::1].',
    );
  }
  return parsed;
}

function regionOf({ hostname }: URL, isLoopback: boolean, environment: EndpointOptions['environment']): string {
  if (isLoopback) return LOCAL_REGION;
  const found =
    EXECUTE_API.exec(hostname)?.[1] ??
    nonEmpty(environment['AWS_REGION']) ??
    nonEmpty(environment['AWS_DEFAULT_REGION']);
  if (found !== undefined) return found;
  throw new TokenBrokerError(
    'usage',
    `The region of ${hostname} is unknown: give \`region\`, or set AWS_REGION to the region of the API.`,
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}
