import { hideMember, removeTokens } from '../conceal-tokens.ts';
import { isReplayable, UNAUTHORIZED } from '../replayable.ts';
import type { TokenBrokerClient } from '../token-broker-client.ts';
import type { TokenUse } from '../token-use.ts';

/** The part of got's options that the adapter touches. */
interface OptionsLike {
  url?: unknown;
  headers: Record<string, string | string[] | undefined>;
  body?: unknown;
  context: Record<string, unknown>;
}

interface ResponseLike {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  request: { options: OptionsLike };
}

/** Options for `got.extend(…)`. */
export interface GotExtension {
  followRedirect: false;
  hooks: {
    beforeRequest: ((options: OptionsLike) => Promise<void>)[];
    // Typed loosely, as got's hooks require: they return what they were given.
    afterResponse: (<R extends ResponseLike>(
      response: R,
      retry: (options: { context: Record<string, unknown>; preserveHooks: true }) => never,
    ) => Promise<R>)[];
    beforeError: (<E extends { readonly options: OptionsLike; readonly response?: ResponseLike | undefined }>(
      error: E,
    ) => E)[];
  };
}

const NEXT = 'tokenBrokerNext';

/**
 * Creates options with which got places the token of one slot, keeps a slid token, and after a 401 reports the token
 * and retries once, if the body can be sent twice. Streams of got get the token, but no retry. It follows no redirect,
 * since the token would go along. No error, and no answer of a promise, shows a token when printed or turned into JSON.
 * The `afterResponse` hooks of got run for the retry as well.
 *
 * @example
 * const http = got.extend(tokenBrokerForGot(client, 'wfm'));
 * const employees = await http.get('https://wfm.example/api/employees').json();
 */
export function tokenBrokerForGot(
  client: TokenBrokerClient,
  connection: string,
  { subject }: { readonly subject?: string } = {},
): GotExtension {
  const uses = new WeakMap<object, TokenUse>();

  function takeOut(options: OptionsLike): TokenUse | undefined {
    const use = uses.get(options);
    // `beforeRequest` places the token again before each retry of got's own.
    for (const name of Object.keys(use?.headers ?? {})) delete options.headers[name.toLowerCase()];
    return use;
  }

  /** Keeps a slid token, and hides both tokens from the answer. */
  function settle(use: TokenUse, response: ResponseLike): void {
    use.answered(response.statusCode, response.headers[use.tokenHeader]);
    removeTokens(response, use.tokenHeader);
    hideMember(response, 'request');
  }

  return {
    followRedirect: false,
    hooks: {
      beforeRequest: [
        async (options) => {
          client.assertUpstream(connection, String(options.url));
          const next = options.context[NEXT];
          const use = typeof next === 'function' ? (next() as TokenUse) : await client.use(connection, { subject });
          for (const [name, value] of Object.entries(use.headers)) options.headers[name.toLowerCase()] = value;
          uses.set(options, use);
        },
      ],
      afterResponse: [
        async (response, retry) => {
          const { options } = response.request;
          const use = takeOut(options);
          if (use === undefined) return response;
          settle(use, response);
          if (response.statusCode !== UNAUTHORIZED) return response;
          const renewed = await use.renewed();
          if (renewed === undefined || !isReplayable(options.body)) return response;
          // Without the hooks the second answer's token would be shown, and not kept.
          return retry({ context: { ...options.context, [NEXT]: () => renewed }, preserveHooks: true });
        },
      ],
      beforeError: [
        (error) => {
          const use = takeOut(error.options);
          // `afterResponse` does not run for a stream, nor for an answer that breaks off or cannot be parsed.
          if (use !== undefined && error.response !== undefined) settle(use, error.response);
          return error;
        },
      ],
    },
  };
}
