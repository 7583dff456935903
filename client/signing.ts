import { Hash } from '@smithy/core/serde';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from './clock.ts';
import type { Endpoint } from './endpoint.ts';
import { TokenBrokerError } from './error.ts';

/** AWS credentials, as every AWS SDK for JavaScript has them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** A text or a number, as some providers give it, counts too. */
  readonly expiration?: Date | string | number;
}

type SigningCredentials = Omit<AwsCredentials, 'expiration'>;

/** Gets credentials. Called before each signature, so it should cache them, as the SDK's providers do. */
export type CredentialProvider = () => Promise<AwsCredentials>;

/** Request to sign, with the body's bytes. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** Signs a request: returns the headers to send it with. */
export type Signer = (request: UnsignedRequest) => Promise<Record<string, string>>;

/** Credentials that `npm start -- --require-sigv4` accepts; without that flag it checks none. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } satisfies AwsCredentials;
/** Time before their end at which credentials are renewed. */
const RENEW_BEFORE_MS = 60_000;

/**
 * Creates the SigV4 signer for one endpoint, on AWS's own signer. Credentials are those given, else `local`/`local` on
 * loopback, else the SDK's default provider chain, loaded at first use. Rejects with `credentials` if there are none.
 */
export function createSigner({
  endpoint,
  clock,
  credentials,
  service = 'execute-api',
}: {
  readonly endpoint: Pick<Endpoint, 'region' | 'isLoopback'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly credentials?: AwsCredentials | CredentialProvider | undefined;
  readonly service?: string;
}): Signer {
  const provide = credentialProviderOf({ endpoint, clock, credentials });
  const sha256 = Hash.bind(null, 'sha256');

  return async ({ method, url, headers, body }) => {
    const signer = new SignatureV4({ service, region: endpoint.region, sha256, credentials: await provide() });
    const signed = await signer.sign(
      new HttpRequest({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: queryOf(url),
        headers: { ...headers, host: url.host },
        body,
      }),
      { signingDate: new Date(clock.now()) },
    );
    // fetch sets the same Host itself.
    const { host: _host, ...rest } = signed.headers;
    return rest;
  };
}

/** Creates the provider for a signer: it caches credentials until shortly before their end. */
export function credentialProviderOf({
  endpoint,
  clock,
  credentials,
}: {
  readonly endpoint: Pick<Endpoint, 'isLoopback'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly credentials?: AwsCredentials | CredentialProvider | undefined;
}): () => Promise<SigningCredentials> {
  if (typeof credentials === 'object') return async () => withoutEnd(credentials);
  if (credentials === undefined && endpoint.isLoopback) return async () => LOCAL_CREDENTIALS;
  const source = credentials ?? createDefaultChain();
  let kept: AwsCredentials | undefined;
  return async () => {
    // An unreadable end makes NaN, and the credentials are asked for again.
    const isGood =
      kept?.expiration !== undefined && new Date(kept.expiration).getTime() - clock.now() > RENEW_BEFORE_MS;
    if (kept !== undefined && isGood) return withoutEnd(kept);
    try {
      kept = await source();
      return withoutEnd(kept);
    } catch {
      throw new TokenBrokerError(
        'credentials',
        'There are no AWS credentials to sign with. Log in (`aws sso login`), set AWS_PROFILE, or run where a role is given.',
      );
    }
  };
}

/** The credentials as the signer takes them: it wants an end as a `Date`, or none. */
function withoutEnd({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): SigningCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function createDefaultChain(): CredentialProvider {
  let chain: Promise<CredentialProvider> | undefined;
  return async () => {
    chain ??= import('@aws-sdk/credential-provider-node').then(({ defaultProvider }) => defaultProvider());
    return (await chain)();
  };
}

function queryOf({ searchParams }: URL): Record<string, string[]> {
  return Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));
}
