import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { hideMember, hideSentHeaders, removeTokens } from '../conceal-tokens.ts';
import { isReplayable, UNAUTHORIZED } from '../replayable.ts';
import type { TokenBrokerClient } from '../token-broker-client.ts';
import type { TokenUse } from '../token-use.ts';

/** Carries the use through axios's copies of the configuration; axios copies functions as they are. */
const USE = 'tokenBrokerUse';
const NEXT = 'tokenBrokerNext';

/**
 * Makes an axios instance place the token of one slot, keep a slid one, and after a 401 report it and try once more,
 * for bodies that can be sent twice. No redirect is followed: the token would go with it. No error or answer of axios's
 * shows the token, or the one that slid, when it is printed or turned into JSON: they are taken out of the configuration,
 * the answer's headers and a streamed body again, and `request`, which has the one sent still, is not enumerable. Attach it before other request interceptors: axios runs the one attached first
 * last, so that it sees the URL as it will be.
 */
export function attachTokenBroker(
  axios: AxiosInstance,
  client: TokenBrokerClient,
  connection: string,
  { subject }: { readonly subject?: string } = {},
): void {
  async function place(config: InternalAxiosRequestConfig): Promise<InternalAxiosRequestConfig> {
    client.assertUpstream(connection, axios.getUri(config));
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
    // A streamed body is node's own answer, with headers of its own; any other is the upstream's, and left as it is.
    if (config.responseType === 'stream') removeTokens(response.data, use.tokenHeader);
    if (status !== UNAUTHORIZED) return undefined;
    const next = await use.renewed();
    if (next === undefined || !isReplayable(config.data)) return undefined;
    return axios.request(Object.assign(config, { [NEXT]: () => next }));
  }

  axios.interceptors.request.use(place);
  axios.interceptors.response.use(
    async (response) => (await answered(response)) ?? response,
    async (error) => {
      // axios's own error, or another interceptor's: with these members they are what axios says they are.
      const config = memberOf(error, 'config') as InternalAxiosRequestConfig | undefined;
      const use = config && carried(config, USE);
      if (use !== undefined) {
        config?.headers.delete(use.tokenHeader);
        // There is a configuration, so this is an object.
        hideRequest(error as object);
      }
      const response = memberOf(error, 'response') as AxiosResponse | undefined;
      const retried = response && (await answered(response));
      if (retried === undefined) throw error;
      return retried;
    },
  );
}

/** What was sent, in an answer or an error of axios's, out of sight; a streamed body leads to it as well. */
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
