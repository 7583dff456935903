import { isReplayable, UNAUTHORIZED } from '../replayable.ts';
import type { TokenBrokerClient } from '../token-broker-client.ts';
import type { TokenUse } from '../token-use.ts';

type HeaderValue = string | string[] | undefined;

interface Controller {
  rawHeaders?: unknown;
  pause(): void;
  resume(): void;
}

/** The part of undici's handler that the adapter wraps. */
interface HandlerLike {
  onRequestStart?(controller: never, context: never): void;
  onRequestUpgrade?(controller: never, status: number, headers: never, socket: never): void;
  onResponseStart?(controller: never, status: number, headers: never, message?: string): void;
  onResponseData?(controller: never, chunk: never): void;
  onResponseEnd?(controller: never, trailers: never): void;
  onResponseError?(controller: never, error: Error): void;
}

interface OptionsLike {
  origin?: string | URL;
  path: string;
  headers?: unknown;
  body?: unknown;
}

type DispatchLike = (options: never, handler: never) => boolean;

/**
 * Creates an interceptor for undici that places the token of one slot, keeps a slid token, and after a 401 reports the
 * token and retries once, if the body can be sent twice. Composed with undici's redirect interceptor it refuses every
 * hop to another origin. In undici's own `fetch` every body is a stream, so only calls without a body are retried.
 *
 * @example
 * const dispatcher = new Agent().compose(tokenBrokerInterceptor(client, 'wfm'));
 * const { body } = await request('https://wfm.example/api/employees', { dispatcher });
 */
export function tokenBrokerInterceptor(
  client: TokenBrokerClient,
  connection: string,
  { subject }: { readonly subject?: string } = {},
): (dispatch: DispatchLike) => DispatchLike {
  return (dispatch) => (given: never, givenHandler: never) => {
    // `OptionsLike` and `HandlerLike` are the parts in use of undici's own types.
    const options: OptionsLike = given;
    const handler: HandlerLike = givenHandler;
    const fail = (error: unknown): void =>
      handler.onResponseError?.(null as never, error instanceof Error ? error : new Error('The request failed.'));

    const attempt = (use: TokenUse): void => {
      const headers = { ...headersOf(options.headers), ...headersOf(use.headers) };
      const again = (next: TokenUse): void => guarded(() => attempt(next));
      dispatch({ ...options, headers } as never, watching(handler, use, isReplayable(options.body), again) as never);
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        fail(error);
      }
    };

    client.assertUpstream(connection, `${String(options.origin)}${options.path}`);
    client.use(connection, { subject }).then((use) => guarded(() => attempt(use)), fail);
    return true;
  };
}

/** Wraps `handler`: reads the answer first, and holds back a 401 until the renewal has ended. */
function watching(
  handler: HandlerLike,
  use: TokenUse,
  canRepeat: boolean,
  again: (next: TokenUse) => void,
): HandlerLike {
  let next: TokenUse | undefined;
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (controller, status, headers, socket) =>
      handler.onRequestUpgrade?.(controller, status, headers, socket),
    onResponseStart(givenController: never, status, givenHeaders: never, message) {
      const controller: Controller = givenController;
      const headers: Record<string, HeaderValue> = givenHeaders;
      use.answered(status, headers[use.tokenHeader]);
      delete headers[use.tokenHeader];
      controller.rawHeaders = withoutRaw(controller.rawHeaders, use.tokenHeader);
      if (status !== UNAUTHORIZED) {
        handler.onResponseStart?.(givenController, status, givenHeaders, message);
        return;
      }
      controller.pause();
      void use.renewed().then((renewed) => {
        if (canRepeat) next = renewed;
        if (next === undefined) handler.onResponseStart?.(givenController, status, givenHeaders, message);
        controller.resume();
      });
    },
    onResponseData(controller, chunk) {
      if (next === undefined) handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd(controller, trailers) {
      if (next === undefined) handler.onResponseEnd?.(controller, trailers);
      else again(next);
    },
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}

/** Collects undici's headers, given as an object, a flat list or pairs. Keeps all values of a repeated name. */
function headersOf(given: unknown): Record<string, HeaderValue> {
  const collected = new Map<string, HeaderValue>();
  for (const [givenName, value] of pairsOf(given)) {
    const name = String(givenName).toLowerCase();
    const before = collected.get(name);
    collected.set(name, before === undefined ? value : [before, value ?? []].flat());
  }
  return Object.fromEntries(collected);
}

function pairsOf(given: unknown): Iterable<readonly [unknown, HeaderValue]> {
  if (typeof given !== 'object' || given === null) return [];
  if (Array.isArray(given) && !Array.isArray(given[0])) {
    const names = given.filter((_, index) => index % 2 === 0);
    return names.map((name, index) => [name, String(given[index * 2 + 1])]);
  }
  return isIterable(given) ? given : Object.entries(given);
}

function isIterable(given: object): given is Iterable<[string, HeaderValue]> {
  return Symbol.iterator in given;
}

/** Removes a header from raw headers, a list of alternating names and values, which undici's `fetch` reads. */
function withoutRaw(raw: unknown, name: string): unknown {
  if (!Array.isArray(raw)) return raw;
  return raw.filter((_, index) => String(raw[index - (index % 2)]).toLowerCase() !== name);
}
