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
    // Typed as loosely as got's own hooks need it: they give back what they were given.
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
 * Gives the options with which got places the token of one slot, keeps a slid one, and after a 401 reports it and tries
 * once more, for bodies that can be sent twice: `got.extend(tokenBrokerForGot(client, 'wfm'))`. For got's promises; its
 * streams get the token, and no second try. No redirect is followed: the token would go with it. No error of got's,
 * nor the answer in it, and no answer of its promises shows the token, or the one that slid, when it is printed or
 * turned into JSON. got's `afterResponse` hooks run for the second try as well.
 */
export function tokenBrokerForGot(
  client: TokenBrokerClient,
  connection: string,
  { subject }: { readonly subject?: string } = {},
): GotExtension {
  const uses = new WeakMap<object, TokenUse>();

  function takeOut(options: OptionsLike): TokenUse | undefined {
    const use = uses.get(options);
    // got places it anew before each try of its own.
    for (const name of Object.keys(use?.headers ?? {})) delete options.headers[name.toLowerCase()];
    return use;
  }

  /** Keeps a slid token, and takes both tokens out of what the answer shows. */
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
          // Without the hooks got would show the second answer's token, and it would not be kept.
          return retry({ context: { ...options.context, [NEXT]: () => renewed }, preserveHooks: true });
        },
      ],
      beforeError: [
        (error) => {
          const use = takeOut(error.options);
          // `afterResponse` sees no answer that breaks off or cannot be parsed, and none of a stream.
          if (use !== undefined && error.response !== undefined) settle(use, error.response);
          return error;
        },
      ],
    },
  };
}
