import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { createSigner } from '../../client/signing.ts';
import { createTransport, type Fetch } from '../../client/transport.ts';
import { type Environment, REGION } from './place.ts';

const TIMEOUT_MS = 30_000;

/** An answer of the API, with its whole body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Calls the API, as whoever the caller was made for: `call('GET', '/tokens/helpdesk/system')`. */
export type Caller = (
  method: string,
  target: string,
  options?: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
) => Promise<Answer>;

/**
 * Creates a caller of the API at `url`, with the keys and the emulator that `environment` names. It signs as the project's
 * client does: curl 7.88 signs escaped paths and unsorted queries wrongly.
 */
export function createCaller(url: string, environment: Environment): Caller {
  const endpoint = { base: url, region: REGION, isLoopback: false };
  const transport = createTransport({
    endpoint,
    sign: createSigner({ endpoint, clock: { now: Date.now }, credentials: credentialsIn(environment) }),
    fetch: fetchFrom(environment),
  });
  return async (method, target, { headers = {}, body } = {}) => {
    const response = await transport({ method, target, headers, body }, { timeoutMs: TIMEOUT_MS });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
}

function credentialsIn(environment: Environment) {
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

/** `fetch` with every name led to the emulator, and its certificate trusted. */
function fetchFrom(environment: Environment): Fetch {
  const { hostname, port } = new URL(environment['AWS_ENDPOINT_URL'] ?? '');
  const ca = readFileSync(environment['AWS_CA_BUNDLE'] ?? '');
  return (href, { method = 'GET', headers, body }) => {
    const { host, hostname: servername, pathname, search } = new URL(href);
    return new Promise((resolve, reject) => {
      const options = { host: hostname, port, servername, ca, method, path: `${pathname}${search}`, agent: false };
      const sent = request({ ...options, headers: { ...Object.fromEntries(new Headers(headers)), host } }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const { statusCode: status = 0 } = answer;
          const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          );
          const isEmpty = status === 204 || status === 304;
          resolve(new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers: pairs }));
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  };
}
