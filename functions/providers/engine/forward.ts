import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import { type Forwarder, type ForwardOutcome, UNAUTHORIZED } from '../../core/proxy/forwarder.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import { pickAnswerHeaders } from '../../http/forwarded-headers.ts';
import type { Http, HttpFailure, HttpResponse } from '../../http/port.ts';
import type { Provider } from '../provider.ts';
import { providerOf } from '../registry.ts';
import { readToken } from './answer.ts';
import { serverDateOf } from './answer-clock.ts';
import { failure, transportFailure } from './failures.ts';
import { lifeOf } from './lifetime.ts';
import { placedToken, trustOf, upstreamUrl } from './upstream-request.ts';

/** The largest answer that is passed on: base64 makes 6 MB of it, which is what Lambda can return. */
const MAXIMUM_ANSWER_BYTES = 4_718_592;

/**
 * Creates the forwarding of proxied requests: the token is placed as the provider says, and of the answer nothing that
 * holds a token comes back: neither the token's own header nor a cookie. A renewed token is read from any answer but a
 * 401 (C15, C16).
 */
export function createForwarder({
  http,
  clock,
  providerNamed = providerOf,
}: {
  readonly http: Http;
  readonly clock: Pick<Clock, 'now'>;
  readonly providerNamed?: (name: string) => Provider | undefined;
}): Forwarder {
  return {
    async forward({ connection, token, request, timeoutMs }): Promise<ForwardOutcome> {
      const query = request.query === '' ? '' : `?${request.query}`;
      const requestStartedAt = clock.now();
      const response = await http.send({
        method: request.method,
        url: `${upstreamUrl(connection, request.path)}${query}`,
        headers: { ...request.headers, ...placedToken(connection, token.reveal()) },
        ...(request.body === undefined ? {} : { body: request.body }),
        ...trustOf(connection),
        maximumBodyBytes: MAXIMUM_ANSWER_BYTES,
        timeoutMs,
      });
      if (response.kind === 'failure') return forwardFailure(response, timeoutMs);

      const provider = providerNamed(connection.provider);
      const value = provider && slidTokenOf(provider, response, token);
      const { status, body } = response;
      const answer = { status, headers: pickAnswerHeaders(response.headers, connection.placement.header), body };
      if (provider === undefined || value === undefined) return { kind: 'answer', answer, requestStartedAt };
      const serverDate = serverDateOf(response.headers);
      const life = {
        ...lifeOf({ provider, connection, token: value, content: undefined }),
        ...(serverDate === undefined ? {} : { serverDate }),
      };
      return { kind: 'answer', answer, slid: { value: new Secret(value), life }, requestStartedAt };
    },
  };
}

function forwardFailure(failed: HttpFailure, timeoutMs: number): UpstreamFailure {
  if (failed.reason !== 'too_large') return transportFailure(failed, timeoutMs);
  return failure(
    'upstream_response_too_large',
    'unknown',
    "The upstream's answer is larger than 4.5 MB, which is all that can be passed on. Ask it for less.",
  );
}

/** The new token of an answer, where it has exactly one that can be used. */
function slidTokenOf({ slide }: Provider, response: HttpResponse, used: Secret<string>): string | undefined {
  if (slide === undefined || response.status === UNAUTHORIZED) return undefined;
  const reading = readToken(slide.tokenAt, response, undefined);
  return reading.kind === 'token' && reading.value !== used.reveal() ? reading.value : undefined;
}
