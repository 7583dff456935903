import { type Answer, jsonAnswer } from './answer.ts';
import { type DemoService, type DemoUpstream, type Judged, startDemoServer } from './demo-upstream.ts';
import { forcedAnswer, retryAfterOf, withBodyFault, withTokenFault } from './faults.ts';
import { createKnobStore } from './knobs.ts';
import {
  demoRefreshToken,
  type OAuthErrorCode,
  type OAuthKnobs,
  oauthKnobDefaults,
  oauthKnobs,
} from './oauth-knobs.ts';
import { type AccessToken, createOAuthTokens, createRefreshTokens } from './oauth-tokens.ts';
import { type DemoRequest, echoOf, mediaType } from './request.ts';
import type { TokenKey } from './token-key.ts';

export { demoOAuthSecret, demoRefreshToken, type OAuthKnobs } from './oauth-knobs.ts';

const TOKEN_PATH = '/oauth2/token';

/** Client and secret of a request, and the method that it chose for them. */
interface ClientAuthentication {
  readonly method: OAuthKnobs['clientAuthentication'][number];
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
}

/**
 * Starts an OAuth 2.0 server with an API behind it on loopback: client credentials or a refresh token in, a token of
 * 15 minutes out.
 *
 * Follows RFC 6749 §2.3.1, §4.4, §5 and §6, and RFC 8707; what servers do otherwise is a knob.
 */
export function startDemoOAuth(
  options: { port?: number; knobs?: Partial<OAuthKnobs>; key?: TokenKey; refreshKey?: TokenKey } = {},
): Promise<DemoUpstream<OAuthKnobs>> {
  const tokens = createOAuthTokens(options.key);
  const refreshTokens = createRefreshTokens(demoRefreshToken, options.refreshKey);
  const store = createKnobStore<OAuthKnobs>({
    schema: oauthKnobs,
    defaults: oauthKnobDefaults,
    overrides: options.knobs,
    revokeAll: tokens.revokeAll,
  });
  const serverNow = () => Date.now() + store.read().clockOffsetSeconds * 1000;

  async function login(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    const parameters = new URLSearchParams(request.body.toString('utf8'));
    const answer =
      forcedAnswer(knobs, knobs.loginStatus) ?? refusal(request, parameters) ?? grant(parameters.get('refresh_token'));
    return { answer: withBodyFault(knobs, answer), subject: 'system' };
  }

  /** Creates the answer to a request that must be refused (RFC 6749 §5.2); undefined for a good one. */
  function refusal(request: DemoRequest, parameters: URLSearchParams): Answer | undefined {
    const { error, errorDescription, grantTypes, scopes, resources, tokensPerMinute, retryAfter } = store.read();
    if (error !== null) return refused(error, errorDescription ?? 'The demo upstream was told to answer so.');
    if (mediaType(request) !== 'application/x-www-form-urlencoded') return refused('invalid_request', 'Send a form.');
    if (!isClient(readClient(request, parameters))) {
      return refused('invalid_client', `The client is ${store.read().locked ? 'locked' : 'not known'}.`);
    }
    const grantType = parameters.get('grant_type');
    if (grantType !== 'client_credentials' && grantType !== 'refresh_token') {
      return refused('unsupported_grant_type', 'The grants are client_credentials and refresh_token.');
    }
    if (!grantTypes.includes(grantType)) return refused('unauthorized_client', 'The client may not use this grant.');
    const asked = parameters.get('scope')?.split(' ') ?? [];
    if (!asked.every((scope) => scopes.includes(scope))) return refused('invalid_scope', 'A scope is not known.');
    if (!parameters.getAll('resource').every((resource) => resources.includes(resource))) {
      return refused('invalid_target', 'A resource is not known.');
    }
    if (tokensPerMinute !== null && tokens.issuedSince(Date.now() - 60_000) >= tokensPerMinute) {
      const headers = { 'Retry-After': retryAfter ?? '60' };
      return jsonAnswer(429, { error: 'slow_down', error_description: 'Too many tokens in a minute.' }, headers);
    }
    return undefined;
  }

  function isClient({ method, clientId, clientSecret }: ClientAuthentication): boolean {
    const { credential, clientAuthentication, locked } = store.read();
    if (locked || !clientAuthentication.includes(method)) return false;
    const isKnown = clientId === credential.clientId && clientSecret === credential.clientSecret;
    store.noteLogin(isKnown);
    return isKnown;
  }

  function refused(error: OAuthErrorCode, description: string): Answer {
    const challenge = error === 'invalid_client' ? { 'WWW-Authenticate': 'Basic realm="demo"' } : {};
    return jsonAnswer(
      error === 'invalid_client' ? 401 : 400,
      { error, error_description: description },
      { ...challenge, ...retryAfterOf(store.read()) },
    );
  }

  function grant(refreshToken: string | null): Answer {
    const knobs = store.read();
    const next = refreshToken === null ? undefined : refreshTokens.use(refreshToken, knobs);
    if (refreshToken !== null && next === undefined) {
      return refused('invalid_grant', 'The refresh token was used already, or is not known.');
    }
    const held = knobs.reissues ? tokens.newest(serverNow()) : undefined;
    const token = held ?? tokens.issue(serverNow() + knobs.lifetimeSeconds * 1000);
    return jsonAnswer(
      200,
      {
        access_token: withTokenFault(knobs, token.value),
        token_type: knobs.tokenType === 'absent' ? undefined : knobs.tokenType,
        expires_in: expiresIn(token),
        refresh_token: next === refreshToken ? undefined : next,
      },
      { 'Cache-Control': 'no-store' },
    );
  }

  /** Remaining life of a token, as the knob says it; a token that is issued again has less than before. */
  function expiresIn({ expiresAt }: AccessToken): unknown {
    const seconds = Math.round((expiresAt - serverNow()) / 1000);
    switch (store.read().expiresIn) {
      case 'normal':
        return seconds;
      case 'text':
        return String(seconds);
      case 'unreadable':
        return 'in a while';
      case 'null':
        return null;
      case 'absent':
        return undefined;
    }
  }

  async function call(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    const value = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const isGood = tokens.isGood(value, { now: serverNow(), tokensOverlap: knobs.tokensOverlap });
    const subject = isGood ? 'system' : 'unknown';
    const forced = forcedAnswer(knobs, knobs.callStatus);
    if (forced !== undefined) return { answer: forced, subject };
    if (isGood) return { answer: jsonAnswer(200, { orders: [{ id: 'A-1001' }], ...echoOf(request) }), subject };
    const challenge = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
    return { answer: jsonAnswer(401, { error: 'invalid_token' }, challenge), subject };
  }

  const service: DemoService = {
    kindOf(method, path) {
      if (path === '/') return 'page';
      if (path !== TOKEN_PATH) return 'call';
      return method === 'POST' ? 'login' : 'page';
    },
    login,
    call,
    page: async ({ path }) =>
      path === TOKEN_PATH
        ? jsonAnswer(405, { error: 'invalid_request', error_description: 'Use POST.' }, { Allow: 'POST' })
        : jsonAnswer(404, { message: `Tokens are issued at ${TOKEN_PATH}.` }),
  };
  return startDemoServer({ port: options.port ?? 0, basePath: '', store, service });
}

/** Reads the client and its secret out of Basic, each form-encoded, or out of the form (RFC 6749 §2.3.1). */
function readClient({ headers }: DemoRequest, parameters: URLSearchParams): ClientAuthentication {
  const basic = /^Basic (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) {
    return {
      method: 'client_secret_post',
      clientId: parameters.get('client_id') ?? undefined,
      clientSecret: parameters.get('client_secret') ?? undefined,
    };
  }
  const [clientId = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return {
    method: 'client_secret_basic',
    clientId: formDecoded(clientId),
    clientSecret: formDecoded(secret.join(':')),
  };
}

function formDecoded(text: string): string | undefined {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? undefined;
}
