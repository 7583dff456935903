import { type IncomingHttpHeaders, request } from 'node:http';
import { type CommunityKnobs, demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import type { CommonKnobs } from '../../../local/demo/knobs.ts';
import { demoOAuthSecret, type OAuthKnobs, startDemoOAuth } from '../../../local/demo/oauth.ts';

/** One answer as it came, with header lines untouched. */
export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined;
}

/** Sends one request on a connection of its own and follows nothing. Rejects when no whole answer came. */
export function send(
  url: string,
  options: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
    path?: string;
  } = {},
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: options.method ?? 'GET',
      // Node frames no body of a GET or DELETE by itself.
      headers: {
        ...(options.body === undefined ? {} : { 'content-length': Buffer.byteLength(options.body) }),
        ...options.headers,
      },
      agent: false,
      ...(options.path === undefined ? {} : { path: options.path }),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const body = Buffer.concat(chunks);
        const text = body.toString('utf8');
        const { headers, rawHeaders, statusCode } = incoming;
        resolve({ status: statusCode ?? 0, headers, rawHeaders, body, text, json: parsed(text) });
      });
    });
    outgoing.end(options.body);
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends JSON. */
export function sendJson(url: string, value: unknown, method = 'POST'): Promise<Received> {
  return send(url, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
}

/** Posts to an endpoint of the page at `url` as the page itself does. */
export function press(url: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  return send(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...headers },
    body: JSON.stringify(body),
  });
}

/** `POST /user/gettoken`. */
export function userLogin(upstream: { url: string }, pkid: unknown, apiKey = demoHelpmasterSecret.apiKey) {
  return sendJson(`${upstream.url}/user/gettoken`, { apiKey, loggedInUserPKID: pkid });
}

/** `POST /user/getsystemtoken`. */
export function systemLogin(upstream: { url: string }, apiKey = demoHelpmasterSecret.apiKey) {
  return sendJson(`${upstream.url}/user/getsystemtoken`, { apiKey });
}

/** A HelpMaster call with `token` placed (H6). */
export function helpmasterCall(upstream: { url: string }, token: string, path = '/jobs/MyOpenJobs', method = 'GET') {
  return send(upstream.url, { method, path, headers: { authorization: `Bearer ${token}` } });
}

/** `POST …/AuthenticateEx` by form. */
export function communityLogin(
  upstream: { baseUrl: string },
  l = `${demoCommunitySecret.username}|${demoCommunitySecret.password}`,
) {
  return send(`${upstream.baseUrl}/AuthenticateEx`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ l }).toString(),
  });
}

/** A gated CommunityWebAPI call with `token` placed (C14). */
export function communityCall(upstream: { baseUrl: string }, token: string, path = '/SingleRecurringEvent') {
  return send(`${upstream.baseUrl}${path}`, { headers: { WFMSGAPIKEY: token } });
}

/** `POST /oauth2/token`, client credentials by default, with the client in the form. */
export function oauthLogin(
  upstream: { baseUrl: string },
  parameters: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const { clientId: client_id, clientSecret: client_secret } = demoOAuthSecret;
  const client = headers['authorization'] === undefined ? { client_id, client_secret } : {};
  return send(`${upstream.baseUrl}/oauth2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...client, ...parameters }).toString(),
  });
}

/** A call on the API behind the OAuth server, with `token` placed (RFC 6750 §2.1). */
export function oauthCall(upstream: { baseUrl: string }, token: string, path = '/orders') {
  return send(`${upstream.baseUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

/** The token of an OAuth answer. */
export function oauthToken(received: Received): string {
  return String(received.json?.['access_token']);
}

/** The token of a HelpMaster login. */
export function helpmasterToken(received: Received): string {
  return String(received.json?.['token']);
}

/** The token of an enveloped CommunityWebAPI login. */
export function communityToken(received: Received): string {
  const data = received.json?.['Data'];
  return typeof data === 'object' && data !== null && 'authToken' in data ? String(data.authToken) : '';
}

/** The token that a CommunityWebAPI answer carries in its header. */
export function slidToken(received: Received): string {
  return String(received.headers['wfmsgapikey']);
}

/** The common interface of the demo upstreams, for tests that hold for each. */
export interface AnyUpstream extends DemoUpstream<CommonKnobs> {
  login(): Promise<Received>;
  /** A login with `word` for the key or the password. */
  loginWith(word: string): Promise<Received>;
  tokenOf(received: Received): string;
  call(token: string): Promise<Received>;
}

function anyHelpmaster(upstream: DemoUpstream<HelpmasterKnobs>): AnyUpstream {
  return {
    ...upstream,
    login: () => systemLogin(upstream),
    loginWith: (word) => systemLogin(upstream, word),
    tokenOf: helpmasterToken,
    call: (token) => helpmasterCall(upstream, token),
  };
}

function anyCommunity(upstream: DemoUpstream<CommunityKnobs>): AnyUpstream {
  return {
    ...upstream,
    login: () => communityLogin(upstream),
    loginWith: (word) => communityLogin(upstream, `${demoCommunitySecret.username}|${word}`),
    tokenOf: communityToken,
    call: (token) => communityCall(upstream, token),
  };
}

function anyOAuth(upstream: DemoUpstream<OAuthKnobs>): AnyUpstream {
  return {
    ...upstream,
    login: () => oauthLogin(upstream),
    loginWith: (word) => oauthLogin(upstream, { client_secret: word }),
    tokenOf: oauthToken,
    call: (token) => oauthCall(upstream, token),
  };
}

/** Each, by name, for `describe.each`. */
export const everyUpstream: ReadonlyArray<readonly [string, () => Promise<AnyUpstream>]> = [
  ['helpmaster', async () => anyHelpmaster(await startDemoHelpmaster())],
  ['community', async () => anyCommunity(await startDemoCommunity())],
  ['oauth', async () => anyOAuth(await startDemoOAuth())],
];
