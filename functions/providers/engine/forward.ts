import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import { type Forwarder, type ForwardOutcome, UNAUTHORIZED } from '../../core/proxy/forwarder.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { appendPath, type Placed, place } from '../../core/slot/placement.ts';
import type { Provider } from '../../core/slot/provider.ts';
import type { Values } from '../../core/slot/text.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import { pickAnswerHeaders } from '../../http/forwarded-headers.ts';
import type { Http, HttpFailure, HttpResponse } from '../../http/port.ts';
import { namesToken, stepsOf } from '../names.ts';
import { parseAnswer, readHeader, readValue } from './answer.ts';
import { readServerDate } from './answer-clock.ts';
import { createMisledFailure, failure } from './failures.ts';
import { readLife } from './lifetime.ts';
import { checkToken } from './outcome.ts';
import { repeats } from './repeats.ts';
import { fillCertificate, isMisled, trustOf, withQuery } from './request.ts';

/** The largest answer that is passed on: base64 makes 6 MB of it, which is what Lambda can return. */
const MAXIMUM_ANSWER_BYTES = 4_718_592;

/** Shortest token or credential that is looked for in an answer. A shorter one would be found by chance. */
const SHORTEST_SOUGHT = 16;

/**
 * Creates the forwarding of proxied requests: the token is placed as the provider says, and of the answer nothing that
 * holds a token comes back: neither the token's own header nor a cookie. A renewed token is read from any answer but a
 * 401 and a login's, where every answer renews (C15, C16).
 */
export function createForwarder({
  http,
  clock,
}: {
  readonly http: Http;
  readonly clock: Pick<Clock, 'now'>;
}): Forwarder {
  return {
    async forward({ connection, subject, token, values, closed, request, timeoutMs }): Promise<ForwardOutcome> {
      const all: Values = { ...values, ...closed?.reveal() };
      const placed = place({ connection, subject }, token.reveal(), all);
      const misled = checkAddress(connection, placed);
      if (misled !== undefined) return misled;
      const url = `${appendPath(placed.baseUrl, request.path)}${request.query === '' ? '' : `?${request.query}`}`;
      const certificate = fillCertificate(connection.provider.placement, all);
      const requestStartedAt = clock.now();
      const response = await http.send({
        method: request.method,
        url: withQuery(url, Object.entries(placed.query)),
        headers: { ...request.headers, ...placed.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(certificate && { certificate }),
        ...trustOf(connection),
        maximumBodyBytes: MAXIMUM_ANSWER_BYTES,
        timeoutMs,
      });
      if (response.kind === 'failure') return createForwardFailure(response, timeoutMs);

      const { status, body } = response;
      const headers = pickAnswerHeaders(response.headers, tokenHeadersOf(connection.provider));
      const made = Object.entries(values).filter(([name]) => namesToken(name, connection.provider));
      const secrets = [token.reveal(), ...made.map(([, value]) => value), ...Object.values(closed?.reveal() ?? {})];
      const fault = findFault({ status, headers, body }, secrets);
      if (fault !== undefined) return failure('upstream_invalid_response', 'unknown', fault);
      const length = response.headers['content-length']?.[0];
      const isSized = request.method === 'HEAD' && length !== undefined;
      const answer = {
        ...{ status, body, headers: isSized ? { ...headers, 'content-length': [length] } : headers },
        behindBase: findBehindBase(headers['location']?.[0], url, placed.baseUrl),
      };
      const value = readSlidToken(connection, response, token);
      if (value === undefined || (await isLoginAnswer(connection, response, requestStartedAt)))
        return { kind: 'answer', answer, requestStartedAt };
      const serverDate = readServerDate(response.headers);
      const said = { ...readSlidValues(connection, response), token: value };
      const { life, warning } = readLife(connection.provider.lifetime, said, connection);
      const slid = {
        value: new Secret(value),
        life: { ...life, ...(serverDate !== undefined && { serverDate }) },
        ...(warning !== undefined && { tokenWarning: warning }),
      };
      return { kind: 'answer', answer, slid, requestStartedAt };
    },
  };
}

/** The headers in which a token travels: to the upstream, or in the answer to a login or a renewal (C16). */
function tokenHeadersOf(provider: Provider): readonly string[] {
  const read = stepsOf(provider).flatMap(({ step }) => {
    const source = step.reads?.['token'];
    return source?.in === 'header' ? [source.name] : [];
  });
  return [...Object.keys(provider.placement.headers ?? {}), ...read];
}

/** Reads from an answer's headers what a slide reads there, such as the new token's end. */
function readSlidValues({ provider: { renewal } }: Connection, { headers }: HttpResponse): Values {
  const reads = renewal !== undefined && 'slide' in renewal ? (renewal.slide.reads ?? {}) : {};
  const read = Object.entries(reads).map(([name, source]) => {
    const reading = source.in === 'header' ? readHeader(headers, source.name) : undefined;
    return [name, reading?.kind === 'value' ? String(reading.value) : undefined] as const;
  });
  return Object.fromEntries(read);
}

/** Checks that an API's address from a login's answer is one that the provider names. */
function checkAddress(connection: Connection, { baseUrl }: Placed): UpstreamFailure | undefined {
  return isMisled(connection, baseUrl) ? createMisledFailure('Nothing was forwarded') : undefined;
}

/** Finds why an answer cannot be passed on as it would be: a status that is none, or a secret that is sent back. */
function findFault(
  { status, headers, body }: Pick<HttpResponse, 'status' | 'headers' | 'body'>,
  secrets: readonly string[],
): string | undefined {
  if (status < 200 || status > 599) return `The upstream answered with the status ${status}, which is none of HTTP.`;
  const sought = secrets.filter((secret) => secret.length >= SHORTEST_SOUGHT);
  const texts = [body, ...Object.values(headers).flatMap((values = []) => values)];
  return sought.some((secret) => repeats(texts, secret))
    ? 'The upstream repeats its token in the answer, which is withheld.'
    : undefined;
}

/** The path and query behind the base URL that a `Location` leads to; undefined where it leads elsewhere. */
function findBehindBase(location: string | undefined, url: string, baseUrl: string): string | undefined {
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  const target = new URL(location, url);
  const base = new URL(baseUrl);
  const root = base.pathname.replace(/\/+$/, '');
  const isBehind = target.origin === base.origin && target.pathname.startsWith(`${root}/`);
  return isBehind ? `${target.pathname.slice(root.length)}${target.search}${target.hash}` : undefined;
}

async function createForwardFailure(failed: HttpFailure, timeoutMs: number): Promise<UpstreamFailure> {
  if (failed.reason !== 'too_large') {
    // Load the words only where there is no answer.
    const { createTransportFailure } = await import('./transport-failure.ts');
    return createTransportFailure(failed, timeoutMs);
  }
  return failure(
    'upstream_response_too_large',
    'unknown',
    "The upstream's answer is larger than 4.5 MB, which is all that can be passed on. Ask it for less.",
  );
}

/**
 * Reports whether an answer gives a token where a login's answer gives one: then it is a login's, and somebody else may
 * have logged in, at a path that the provider does not name (C16).
 */
async function isLoginAnswer({ provider }: Connection, response: HttpResponse, receivedAt: number): Promise<boolean> {
  for (const step of Object.values(provider.logins).flat()) {
    const source = step.reads?.['token'];
    if (source === undefined || source.in === 'header') continue;
    const reading = await readValue(source, await parseAnswer(response, step, receivedAt), provider);
    if (reading.kind === 'value' && source.in !== 'text') return true;
  }
  return false;
}

/** The new token of an answer, where it has exactly one that can be used. */
function readSlidToken({ provider }: Connection, response: HttpResponse, used: Secret<string>): string | undefined {
  const { renewal, placement } = provider;
  if (renewal === undefined || !('slide' in renewal) || renewal.everyAnswer !== true) return undefined;
  const source = renewal.slide.reads?.['token'];
  if (source?.in !== 'header' || response.status === UNAUTHORIZED) return undefined;
  const reading = checkToken(readHeader(response.headers, source.name), placement);
  return reading.kind === 'token' && reading.value !== used.reveal() ? reading.value : undefined;
}
