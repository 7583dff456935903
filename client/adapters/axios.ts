import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { hideMember, hideSentHeaders, removeTokens } from '../conceal-tokens.ts';
import { isReplayable, UNAUTHORIZED } from '../replayable.ts';
import type { TokenBrokerClient } from '../token-broker-client.ts';
import type { TokenUse } from '../token-use.ts';

/** Names of configuration members that hold a `TokenUse` in a function, since axios copies functions by reference. */
const USE = 'tokenBrokerUse';
const NEXT = 'tokenBrokerNext';

/**
 * Makes an axios instance place the token of one slot, keep a slid token, and after a 401 report the token and retry
 * once, if the body can be sent twice. The retry is the same request, and no other interceptor sees it again. It
 * follows no redirect, since the token would go along. No error or answer of axios shows a token when printed or turned
 * into JSON: tokens are removed from the configuration, the answer's headers and a streamed body, and `request`, which
 * still holds the sent token, is not enumerable.
 *
 * Attach it before other request interceptors: axios runs the first attached last, when the URL is final.
 *
 * @example
 * const http = axios.create({ baseURL: 'https://wfm.example/api' });
 * attachTokenBroker(http, client, 'wfm');
 * const { data } = await http.get('/employees');
 */
export function attachTokenBroker(
  axios: AxiosInstance,
  client: TokenBrokerClient,
  connection: string,
  { subject }: { readonly subject?: string } = {},
): void {
  /** Sends the second try: the instance's defaults, without interceptors of its own. */
  const again = axios.create();

  async function place(config: InternalAxiosRequestConfig): Promise<InternalAxiosRequestConfig> {
    const url = axios.getUri(config);
    client.assertUpstream(connection, url);
    // Send the URL that was checked, in the retry too. A serializer of parameters may give another text at each call.
    // `baseURL` and `params` are empty, since for undefined axios would take the instance's defaults.
    Object.assign(config, { url, baseURL: '', params: null });
    const use = carried(config, NEXT) ?? (await client.use(connection, { subject }));
    for (const [name, value] of Object.entries(use.headers)) config.headers.set(name, value);
    return Object.assign(config, { [USE]: () => use, [NEXT]: undefined, maxRedirects: 0 });
  }

  async function answered(response: AxiosResponse): Promise<AxiosResponse | undefined> {
    const { status, headers, config } = response;
    const use = carried(config, USE);
    if (use === undefined) return undefined;
    hideRequest(response);
    config.headers.delete(use.tokenHeader);
    use.answered(status, headerOf(headers, use.tokenHeader));
    Reflect.deleteProperty(headers, use.tokenHeader);
    // A streamed body is Node's own answer object, with headers of its own; any other body is the upstream's data.
    if (config.responseType === 'stream') removeTokens(response.data, use.tokenHeader);
    if (status !== UNAUTHORIZED) return undefined;
    const next = await use.renewed();
    if (next === undefined || !isReplayable(config.data)) return undefined;
    // The configuration is what interceptors and transforms made of it, and goes through none of them again.
    return again.request(Object.assign(config, { [NEXT]: () => next, transformRequest: [unchanged] }));
  }

  async function failed(error: unknown): Promise<AxiosResponse> {
    // An error of axios or of another interceptor; if it has these members, they have the types of axios.
    const config = memberOf(error, 'config') as InternalAxiosRequestConfig | undefined;
    const use = config && carried(config, USE);
    if (use !== undefined) {
      config?.headers.delete(use.tokenHeader);
      // The error has a configuration, so it is an object.
      hideRequest(error as object);
    }
    const response = memberOf(error, 'response') as AxiosResponse | undefined;
    const retried = response && (await answered(response));
    if (retried === undefined) throw error;
    return retried;
  }

  for (const instance of [axios, again]) {
    instance.interceptors.request.use(place);
    instance.interceptors.response.use(async (response) => (await answered(response)) ?? response, failed);
  }
}

function unchanged(data: unknown): unknown {
  return data;
}

/** Hides the sent request in an answer or error of axios; a streamed body refers to it too. */
function hideRequest(holder: object): void {
  hideSentHeaders(Reflect.get(holder, 'request'));
  hideMember(holder, 'request');
}

function carried(config: InternalAxiosRequestConfig, name: string): TokenUse | undefined {
  const carrier: unknown = Reflect.get(config, name);
  return typeof carrier === 'function' ? (carrier() as TokenUse) : undefined;
}

function headerOf(headers: object, name: string): string | undefined {
  const value: unknown = Reflect.get(headers, name);
  return typeof value === 'string' ? value : undefined;
}

function memberOf(error: unknown, name: string): object | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === 'object' && value !== null ? value : undefined;
}
