import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { createSigner } from '../../client/signing.ts';
import { createTransport, type Fetch } from '../../client/transport.ts';
import { type Environment, REGION } from './place.ts';

const TIMEOUT_MS = 30_000;

/** An answer of AWS, with its whole body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A call: `call('GET', '/tokens/helpdesk/system')`. */
export type Caller = (
  method: string,
  target: string,
  options?: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
) => Promise<Answer>;

/**
 * Creates a caller of the API at `url`, with the keys and the emulator that `environment` names. It signs as the project's
 * client does: curl 7.88 signs escaped paths and unsorted queries wrongly.
 */
export function createCaller(url: string, environment: Environment, service = 'execute-api'): Caller {
  const endpoint = { base: url, region: REGION, isLoopback: false };
  const credentials = credentialsIn(environment);
  const transport = createTransport({
    endpoint,
    sign:
      credentials === undefined
        ? async ({ headers }) => ({ ...headers })
        : createSigner({ endpoint, clock: { now: Date.now }, credentials, service }),
    fetch: fetchFrom(environment),
  });
  return async (method, target, { headers = {}, body } = {}) =>
    readAnswer(await transport({ method, target, headers, body }, { timeoutMs: TIMEOUT_MS }));
}

/** Reads an answer with its whole body. */
export async function readAnswer(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** Calls a service of AWS that takes forms and answers XML, such as STS. Throws with its answer where it refuses. */
export async function callQuery(
  environment: Environment,
  service: 'iam' | 'sts',
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const call = createCaller(environment['AWS_ENDPOINT_URL'] ?? '', environment, service);
  const Version = service === 'iam' ? '2010-05-08' : '2011-06-15';
  const { status, body } = await call('POST', '/', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Version, ...parameters }).toString(),
  });
  if (status === 200) return body;
  throw new Error(`${service} ${parameters['Action']} was answered ${status}:\n${body}`);
}

/** Calls a service of AWS that takes JSON and answers JSON: `callJson(environment, 'secretsmanager.GetSecretValue', …)`. */
export async function callJson(environment: Environment, target: string, parameters: object): Promise<Answer> {
  const [service = ''] = target.toLowerCase().split(/[._]/);
  const version = service === 'dynamodb' ? '1.0' : '1.1';
  const call = createCaller(environment['AWS_ENDPOINT_URL'] ?? '', environment, service);
  return call('POST', '/', {
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target },
    body: JSON.stringify(parameters),
  });
}

/** Invokes a function directly, as nobody but its own callers may. */
export function invoke(environment: Environment, functionName: string, event: object): Promise<Answer> {
  const call = createCaller(environment['AWS_ENDPOINT_URL'] ?? '', environment, 'lambda');
  return call('POST', `/2015-03-31/functions/${functionName}/invocations`, { body: JSON.stringify(event) });
}

/** The keys of an environment; undefined where it has none, as of a caller that does not sign. */
function credentialsIn(environment: Environment) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = environment;
  if (accessKeyId === undefined) return undefined;
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Creates a `fetch` that leads every name to the emulator, and trusts its certificate. */
export function fetchFrom(environment: Environment): Fetch {
  const { hostname, port } = new URL(environment['AWS_ENDPOINT_URL'] ?? '');
  const ca = readFileSync(environment['AWS_CA_BUNDLE'] ?? '');
  return (href, { method = 'GET', headers, body }) => {
    const { host, hostname: servername, pathname, search } = new URL(href);
    return new Promise((resolve, reject) => {
      const name = /^[0-9.]+$/.test(servername) ? {} : { servername };
      const options = { host: hostname, port, ...name, ca, method, path: `${pathname}${search}`, agent: false };
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
