import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import Provider, { type Request } from 'oidc-provider';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { type Certificate, selfSigned } from '../functions/http/raw-server.ts';

/** The API that tokens may be asked for, by its `resource` (RFC 8707). */
export const API = 'https://api.example/v1';
export const TOKEN_PATH = '/token';
/** A page of an API that takes a token bound to the client certificate of the call (RFC 8705 §3). */
export const BOUND_PATH = '/bound';
/** Seconds that a token of client credentials lives for. */
export const LIFE_SECONDS = 600;
export const ACCOUNT = 'a-person';

/** A token endpoint of `oidc-provider`, an authorization server that others wrote, in this process. */
export interface OidcServer {
  readonly baseUrl: string;
  /** PEM of the server's own certificate, where it speaks TLS. */
  readonly caCertificate: string | undefined;
  /** Method and path of each request so far. */
  readonly asked: readonly string[];
  /** Makes a person's refresh token, as after a consent in a browser. */
  consent(clientId: string): Promise<string>;
  /** Finds what a token was issued for; undefined where it is revoked or unknown. */
  find(token: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  close(): Promise<void>;
}

/** Clients as the server registers them, by their metadata (RFC 7591 §2). */
export type Clients = readonly Readonly<Record<string, unknown>>[];

/** Starts the server. With `isTls` it asks for a client certificate, and judges it by itself. */
export async function startOidcServer(clients: Clients, { isTls = false } = {}): Promise<OidcServer> {
  const certificate = isTls ? selfSigned('localhost') : undefined;
  const asked: string[] = [];
  let answer: RequestListener = (_, response) => void response.destroy();
  const find: OidcServer['find'] = async (token) =>
    (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token));
  const answerBound: RequestListener = async (request, response) => {
    const bound = (await find(request.headers.authorization?.replace('Bearer ', '') ?? ''))?.['x5t#S256'];
    const raw = certificateOf(request)?.raw ?? '';
    const isBound = bound === createHash('sha256').update(raw).digest('base64url');
    response.writeHead(isBound ? 200 : 401).end();
  };
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === BOUND_PATH) answerBound(request, response);
    else answer(request, response);
  };
  const server = listenerOn(certificate, listener);
  const url = await listenOnLoopback(server, 0);
  const baseUrl = certificate === undefined ? url : url.replace('http://127.0.0.1', 'https://localhost');
  const provider = quietly(() => new Provider(baseUrl, configurationFor(clients)));
  answer = provider.callback();

  return {
    baseUrl,
    caCertificate: certificate?.cert,
    asked,
    async consent(clientId) {
      const client = await provider.Client.find(clientId);
      const grant = new provider.Grant({ accountId: ACCOUNT, clientId });
      grant.addOIDCScope('openid offline_access');
      const of = { client, accountId: ACCOUNT, grantId: await grant.save(), scope: 'openid offline_access' };
      return new provider.RefreshToken({ ...of, gty: 'authorization_code' }).save();
    },
    find,
    close: () => closeServer(server),
  };
}

function listenerOn(certificate: Certificate | undefined, listener: RequestListener): Server {
  if (certificate === undefined) return createServer(listener);
  return createTlsServer({ ...certificate, requestCert: true, rejectUnauthorized: false }, listener);
}

function configurationFor(clients: Clients): Readonly<Record<string, unknown>> {
  return {
    clients: clients.map((client) => ({ redirect_uris: [], response_types: [], ...client })),
    scopes: ['openid', 'offline_access', 'read', 'write', 'admin'],
    clientAuthMethods: [
      ...['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      ...['tls_client_auth', 'self_signed_tls_client_auth'],
    ],
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    ttl: {
      ClientCredentials: LIFE_SECONDS,
      AccessToken: LIFE_SECONDS,
      RefreshToken: 86_400,
      Grant: 86_400,
      IdToken: 60,
    },
    rotateRefreshToken: true,
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ['a key of a test'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'read write', audience: API, accessTokenFormat: 'opaque' }),
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: ({ req }: Request) => certificateOf(req),
        // The test's certificates are signed by nobody, and each is known by its name.
        certificateAuthorized: ({ req }: Request) => certificateOf(req) !== undefined,
        certificateSubjectMatches: ({ req }: Request, _: string, expected: string) =>
          certificateOf(req)?.subjectAltName === `DNS:${expected}`,
      },
    },
  };
}

function certificateOf({ socket }: IncomingMessage) {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}

/** Leaves out what the server says of its defaults at a start: they are about its own users. */
function quietly<T>(start: () => T): T {
  const { info, warn } = console;
  Object.assign(console, { info: () => undefined, warn: () => undefined });
  try {
    return start();
  } finally {
    Object.assign(console, { info, warn });
  }
}
